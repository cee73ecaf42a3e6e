#!/bin/sh
# Sends one Nagios or Icinga notification to Handrail. Arguments are name=value; each becomes a field of a JSON object.
#   HANDRAIL_URL         https://handrail.example/in/<source>
#   HANDRAIL_TOKEN_FILE  a file with the source's token (never an argument: those are seen in the list of processes)
# Ends with 0 when the notification was taken, 1 when it was not, 2 when it was called wrongly.
set -u

if [ -z "${HANDRAIL_URL:-}" ] || [ -z "${HANDRAIL_TOKEN_FILE:-}" ] || [ "$#" -eq 0 ]; then
    echo "usage: HANDRAIL_URL=... HANDRAIL_TOKEN_FILE=... $0 type=PROBLEM host=... [service=...] state=... ..." >&2
    exit 2
fi
if [ ! -r "$HANDRAIL_TOKEN_FILE" ]; then
    echo "handrail: the token file $HANDRAIL_TOKEN_FILE cannot be read by this user" >&2
    exit 2
fi

# A JSON text of standard input: the bytes that JSON forbids are escaped, or become spaces.
quoted() {
    LC_ALL=C tr '\001-\010\013-\037\177' ' ' | LC_ALL=C sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/	/\\t/g' |
        LC_ALL=C awk 'NR > 1 { printf "\\n" } { printf "%s", $0 }'
}

body=''
for pair in "$@"; do
    case $pair in
    *=*) ;;
    *)
        echo "handrail: \"$pair\" is not name=value" >&2
        exit 2
        ;;
    esac
    name=$(printf '%s' "${pair%%=*}" | quoted)
    value=$(printf '%s' "${pair#*=}" | quoted)
    body="$body${body:+,}\"$name\":\"$value\""
done

# The token goes to curl through its standard input as configuration, so that no other user sees it.
token=$(tr -d '\r\n' <"$HANDRAIL_TOKEN_FILE")
if ! answer=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
    curl --config - --silent --show-error --fail --max-time 10 --retry 2 --retry-delay 2 \
        --header 'Content-Type: application/json' --data-raw "{$body}" "$HANDRAIL_URL" 2>&1); then
    echo "handrail: the notification was not taken: $answer" >&2
    exit 1
fi
