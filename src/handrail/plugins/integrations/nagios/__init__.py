"""Nagios and Icinga: host and service notifications, sent by the script in this folder."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.nagios.parse import SEVERITIES, parse

INTEGRATION = Integration(
    name="nagios",
    title="Nagios and Icinga",
    parse=parse,
    severities=SEVERITIES,
    docs=r"""
Nagios sends no JSON of its own. Copy `send.sh` from this integration's folder to /usr/local/bin/handrail-notify on
the monitoring host (it needs a POSIX shell and curl), put the token into a file that only the monitoring user can
read, and name it as a notification command:

    define command {
        command_name handrail-service
        command_line HANDRAIL_URL=https://handrail.example/in/<source> HANDRAIL_TOKEN_FILE=/etc/nagios/handrail.token \
          /usr/local/bin/handrail-notify "type=$NOTIFICATIONTYPE$" "host=$HOSTNAME$" "service=$SERVICEDESC$" \
          "state=$SERVICESTATE$" "output=$SERVICEOUTPUT$" "timet=$TIMET$" "problem_id=$SERVICEPROBLEMID$" \
          "notes_url=$SERVICENOTESURL$" "author=$NOTIFICATIONAUTHOR$" "comment=$NOTIFICATIONCOMMENT$"
    }
    define command {
        command_name handrail-host
        command_line HANDRAIL_URL=... HANDRAIL_TOKEN_FILE=... /usr/local/bin/handrail-notify \
          "type=$NOTIFICATIONTYPE$" "host=$HOSTNAME$" "state=$HOSTSTATE$" "output=$HOSTOUTPUT$" "timet=$TIMET$" \
          "notes_url=$HOSTNOTESURL$" "author=$NOTIFICATIONAUTHOR$" "comment=$NOTIFICATIONCOMMENT$"
    }

Icinga 2: a NotificationCommand with the same arguments ($notification.type$, $host.name$, $service.name$,
$service.state$, $service.output$, $icinga.timet$). The macros' own names (NAGIOS_SERVICESTATE, SERVICEDESC) are read
as well as these. The script tries three times and ends with 1 when Handrail did not take the notification.

A host and a service are one alert; a host alone is another. PROBLEM and FLAPPINGSTART fire, RECOVERY resolves,
ACKNOWLEDGEMENT and DOWNTIMESTART acknowledge (a downtime of what works opens nothing); other types follow the state.
Severity: CRITICAL and DOWN critical, UNREACHABLE high, WARNING and UNKNOWN medium. A host's numbers are 1 for DOWN and
2 for UNREACHABLE. Checkmk's variables (NOTIFY_HOSTNAME, ...) are read as well.
""",
)
