"""The report formats that commands share: JUnit, SARIF, and the skeleton of an HTML page."""
