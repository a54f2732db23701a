"""The formats of reports, whatever a command judged: JUnit, SARIF, and the skeleton of a page."""
