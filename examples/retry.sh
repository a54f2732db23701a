#!/bin/sh
# A client retries after a short outage: the test in shell, with curl alone.
#
#     callconfig serve --store :memory: &
#     sh retry.sh
set -eu

url=${CALLCONFIG_URL:-http://127.0.0.1:8080}
session="retry-$$"
json="Content-Type: application/json"

control() { # METHOD PATH [BODY]
  curl --silent --show-error --fail-with-body -X "$1" "$url/_mock$2" -H "X-Mock-Session: $session" -H "$json" ${3:+--data "$3"}
}

control POST /rules '{"match": {"operation": "createConfiguration"}, "answers": [503]}' > /dev/null

# curl in place of your client: it retries after a 503, and its URL names the session.
curl --silent --fail --retry 1 --retry-delay 1 "$url/_mock/in/$session/configurations" -H "$json" --data '{
  "reseller_id": "res_001", "template": "tpl_welcome", "initial_offset": 0, "retry_offset": 3600,
  "call_start_time": "09:00", "call_end_time": "21:00", "max_retry": 3, "calling_provider": "TWILIO"}' > /dev/null

control POST /requests/find '{"match": {"status": 201, "body": {"max_retry": 3}}, "timeout": 5}' | grep -q '"met":true'
control POST /requests/find '{"match": {"status": 503}}' | grep -q '"count":1'
control GET /state | grep -q '"template":"tpl_welcome"'
control DELETE "/sessions/$session"
echo "ok: the client survives a short outage"
