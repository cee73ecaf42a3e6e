"""CloudWatch's alarms in their three shapes, SNS's envelope, and EventBridge's other events."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from handrail.domain.alert import AlertStatus, Severity, rung_of
from handrail.domain.source import is_sns_address
from handrail.kernel.errors import BadSignature, Refused
from handrail.plugins.integrations.cloudwatch import INTEGRATION
from handrail.plugins.integrations.cloudwatch.parse import parse
from handrail.plugins.integrations.contract import Inbound, Parsed, Verdict

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ARN = "arn:aws:cloudwatch:eu-north-1:210987654321:alarm:booking-queue-age-critical"
FIRED = datetime(2026, 1, 5, 7, 41, 11, 902000, tzinfo=UTC)


def sample(name: str) -> Any:
    return json.loads((files("handrail.plugins.integrations.cloudwatch") / "samples" / f"{name}.json").read_text())


def read(body: Any) -> Parsed:
    return parse(Inbound(json.dumps(body).encode()), NOW)


def message(**fields: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(sample("sns_metric_alarm")["Message"])
    return {**told, **fields}


def sns(inner: Mapping[str, Any] | str, **fields: Any) -> dict[str, Any]:
    text = inner if isinstance(inner, str) else json.dumps(inner)
    return {**sample("sns_metric_alarm"), "Message": text, **fields}


def test_an_alarm_by_sns_reads_field_by_field() -> None:
    parsed = read(sample("sns_metric_alarm"))
    [said] = parsed.occurrences
    assert said.dedup_key == ARN
    assert said.status == AlertStatus.FIRING
    assert said.title == "booking-queue-age-critical"
    assert rung_of(said) == Severity.CRITICAL
    assert (said.service, said.resource) == ("ferry-bookings", "ferry-bookings")
    assert said.summary.startswith("Bookings wait too long.\nThreshold Crossed")
    assert said.occurred_at == said.starts_at == FIRED
    assert said.ends_at is None
    assert said.link
    assert said.link.endswith("region=eu-north-1#alarmsV2:alarm/booking-queue-age-critical")
    assert said.labels["region"] == "eu-north-1"
    assert said.labels["QueueName"] == "ferry-bookings"
    assert parsed.replay_id == "5b0c0d0e-1111-5222-8333-444455556666"


@pytest.mark.parametrize("name", ["sns_metric_alarm", "sns_metric_ok", "eventbridge_alarm", "lambda_action"])
def test_one_alarm_has_one_identity_whatever_way_it_came(name: str) -> None:
    assert read(sample(name)).occurrences[0].dedup_key == ARN


def test_ok_resolves_at_the_senders_time() -> None:
    [said] = read(sample("sns_metric_ok")).occurrences
    assert said.status == AlertStatus.RESOLVED
    assert said.ends_at == said.occurred_at == datetime(2026, 1, 5, 8, 2, 0, 100000, tzinfo=UTC)


def test_without_an_arn_account_region_and_name_make_the_same_identity() -> None:
    told = message()
    del told["AlarmArn"]
    assert read(sns(told)).occurrences[0].dedup_key == ARN


def test_insufficient_data_fires_as_low_and_does_not_resolve() -> None:
    [said] = read(sns(message(NewStateValue="INSUFFICIENT_DATA"))).occurrences
    assert said.status == AlertStatus.FIRING
    assert rung_of(said) == Severity.LOW


@pytest.mark.parametrize(
    ("name", "description", "severity"),
    [
        ("cpu-high", "", Severity.MEDIUM),
        ("ServerCpuTooHigh", "", Severity.MEDIUM),
        ("[high] cpu", "", Severity.HIGH),
        ("web-p1-latency", "", Severity.CRITICAL),
        ("web-info", "This is critical to no one", Severity.INFO),
        ("web", "Severity: low", Severity.LOW),
    ],
)
def test_the_severity_is_a_word_in_the_name_or_marked_in_the_description(
    name: str, description: str, severity: Severity
) -> None:
    [said] = read(sns(message(AlarmName=name, AlarmDescription=description))).occurrences
    assert rung_of(said) == severity


def test_a_composite_alarm_that_goes_from_alarm_to_alarm_fires_again() -> None:
    [said] = read(sample("sns_composite")).occurrences
    assert said.status == AlertStatus.FIRING
    assert said.labels["previous_state"] == "ALARM"
    assert said.labels["alarm_rule"].startswith("ALARM(")
    assert rung_of(said) == Severity.HIGH
    assert "TriggeringChildren" in said.extra


def test_raw_delivery_and_anomaly_detection_are_read() -> None:
    [said] = read(sample("raw_anomaly_detection")).occurrences
    assert (said.service, said.labels["metric"]) == ("turnstile", "Passes")
    assert rung_of(said) == Severity.HIGH


def test_a_message_that_is_an_object_and_dimensions_as_an_object_are_read() -> None:
    told = message(Trigger={"MetricName": "x", "Dimensions": {"InstanceId": "i-1"}})
    [said] = read({**sample("sns_metric_alarm"), "Message": told}).occurrences
    assert (said.service, said.resource) == ("i-1", "i-1")


def test_a_time_that_cannot_be_read_is_kept_and_the_envelopes_is_used() -> None:
    [said] = read(sns(message(StateChangeTime="yesterday"))).occurrences
    assert said.extra["StateChangeTime"] == "yesterday"
    assert said.occurred_at == datetime(2026, 1, 5, 7, 41, 12, 345000, tzinfo=UTC)


def test_an_event_of_the_archive_has_its_own_time_and_its_own_delivery() -> None:
    parsed = read({**sample("eventbridge_alarm"), "replay-name": "again"})
    [said] = parsed.occurrences
    assert said.occurred_at == FIRED
    assert said.extra["replay-name"] == "again"
    assert parsed.replay_id == "0a1b2c3d-aaaa-bbbb-cccc-000000000001"


def test_records_of_a_function_are_read_one_by_one() -> None:
    good = {"EventSource": "aws:sns", "Sns": sample("sns_metric_alarm")}
    bad = {"EventSource": "aws:sns", "Sns": {**sample("sns_metric_alarm"), "Message": "words"}}
    parsed = read({"Records": [bad, good]})
    assert [said.dedup_key for said in parsed.occurrences] == [ARN]
    assert [(item.index, item.code) for item in parsed.rejected] == [(0, "unexpected_format")]


def test_an_unknown_state_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="“MAYBE” is not known") as refused:
        read(sns(message(NewStateValue="MAYBE")))
    assert refused.value.code == "alert_status_unknown"


@pytest.mark.parametrize("text", ["Hello from the budget", "[]", "{}", '{"a":', "7"])
def test_a_message_that_is_no_alarm_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read(sns(text))
    assert refused.value.code == "unexpected_format"


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_a_confirmation_is_handed_to_a_person_with_its_address(kind: str) -> None:
    url = "https://sns.eu-north-1.amazonaws.com/?Action=ConfirmSubscription&Token=t0ken"
    parsed = read(sns("You have chosen", Type=kind, Token="t0ken", SubscribeURL=url))
    [asked] = parsed.confirmations
    assert (asked.url, asked.token, asked.topic) == (url, "t0ken", "arn:aws:sns:eu-north-1:210987654321:ferry-alarms")
    assert parsed.occurrences == () and parsed.changes == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-north-1.amazonaws.com/?Token=t",
        "https://sns.eu-north-1.amazonaws.com.evil.example/",
        "https://169.254.169.254/latest/meta-data",
        "https://user@sns.eu-north-1.amazonaws.com/",
        "https://sns.eu-north-1.amazonaws.com:8443/",
    ],
)
def test_a_confirmation_elsewhere_than_at_amazon_is_handed_to_a_person_and_may_never_be_called(url: str) -> None:
    [asked] = read(sns("You have chosen", Type="SubscriptionConfirmation", Token="t", SubscribeURL=url)).confirmations
    assert asked.url == url
    assert not is_sns_address(asked.url)


@pytest.mark.parametrize("url", [None, "", "https://sns.eu-north-1.amazonaws.com/?" + "t" * 2048])
def test_a_confirmation_without_an_address_is_refused(url: str | None) -> None:
    with pytest.raises(Refused, match="names no address"):
        read(sns("You have chosen", Type="SubscriptionConfirmation", Token="t", SubscribeURL=url))


def test_the_certificate_is_looked_for_at_amazon_only() -> None:
    assert INTEGRATION.certificate_url
    body = sample("sns_metric_alarm")
    assert INTEGRATION.certificate_url(Inbound(json.dumps(body).encode())) == body["SigningCertURL"]
    forged = {**body, "SigningCertURL": "https://evil.example/SimpleNotificationService-1.pem"}
    assert INTEGRATION.certificate_url(Inbound(json.dumps(forged).encode())) is None
    assert INTEGRATION.certificate_url(Inbound(b"{")) is None


def test_a_message_has_the_token_alone_until_its_certificate_is_at_hand() -> None:
    assert INTEGRATION.verify
    for name in ("sns_metric_alarm", "eventbridge_alarm", "raw_anomaly_detection"):
        assert INTEGRATION.verify(Inbound(json.dumps(sample(name)).encode()), (), NOW) == Verdict.TOKEN


def test_a_forged_signature_is_refused() -> None:
    assert INTEGRATION.verify
    body = sample("sns_metric_alarm")
    with pytest.raises(BadSignature):
        INTEGRATION.verify(
            Inbound(json.dumps(body).encode(), certificates={body["SigningCertURL"]: b"no certificate"}), (), NOW
        )
    elsewhere = {**body, "SigningCertURL": "https://evil.example/SimpleNotificationService-1.pem"}
    with pytest.raises(BadSignature):
        INTEGRATION.verify(Inbound(json.dumps(elsewhere).encode()), (), NOW)


@pytest.mark.parametrize("name", ["sns_metric_alarm", "eventbridge_alarm"])
def test_where_a_topic_is_named_nothing_without_its_good_signature_is_taken(name: str) -> None:
    assert INTEGRATION.verify
    for secret in ("arn:aws:sns:eu-north-1:210987654321:ferry-alarms", "another"):
        with pytest.raises(BadSignature):
            INTEGRATION.verify(Inbound(json.dumps(sample(name)).encode()), (secret,), NOW)


def signed(key: rsa.RSAPrivateKey, topic: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A message that SNS might have signed, and the certificate for it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, datetime(2025, 1, 1), datetime(2027, 1, 1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    body = {
        **sample("sns_metric_alarm"), "Timestamp": "2026-01-05T08:59:00Z", "TopicArn": topic, "SignatureVersion": "2",
    }  # fmt: skip
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{body[name]}\n" for name in names).encode()
    body["Signature"] = base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
    return body, {body["SigningCertURL"]: certificate}


def test_a_good_signature_is_verified_and_only_for_the_named_topic() -> None:
    assert INTEGRATION.verify
    topic = "arn:aws:sns:eu-north-1:210987654321:ferry-alarms"
    body, certificates = signed(rsa.generate_private_key(65537, 2048), topic)
    inbound = Inbound(json.dumps(body).encode(), certificates=certificates)
    assert INTEGRATION.verify(inbound, (), NOW) == Verdict.VERIFIED
    assert INTEGRATION.verify(inbound, (topic,), NOW) == Verdict.VERIFIED
    with pytest.raises(BadSignature):
        INTEGRATION.verify(inbound, ("arn:aws:sns:eu-north-1:210987654321:another",), NOW)
    forged = Inbound(json.dumps({**body, "Message": "{}"}).encode(), certificates=certificates)
    with pytest.raises(BadSignature):
        INTEGRATION.verify(forged, (), NOW)


def test_an_instances_state_is_a_change_and_a_deployment_a_deploy() -> None:
    event = {
        "version": "0", "id": "e-1", "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2",
        "account": "210987654321", "time": "2026-01-05T07:00:00Z", "region": "eu-north-1",
        "resources": ["arn:aws:ec2:eu-north-1:210987654321:instance/i-0gate"],
        "detail": {"instance-id": "i-0gate", "state": "stopping"},
    }  # fmt: skip
    [change] = read(event).changes
    assert change.title == "EC2 Instance State-change Notification: i-0gate stopping"
    assert (change.kind, change.service, change.change_key) == ("infrastructure", "i-0gate", "aws.ec2|e-1")
    assert change.occurred_at == datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
    [deploy] = read(sample("eventbridge_ecs_deployment")).changes
    assert (deploy.kind, deploy.service) == ("deploy", "turnstile")
    assert "SERVICE_DEPLOYMENT_FAILED" in deploy.title


def test_a_finding_is_an_alert_with_the_rung_of_its_number() -> None:
    [said] = read(sample("eventbridge_finding")).occurrences
    assert said.dedup_key == "aws.guardduty|9f8e7d"
    assert rung_of(said) == Severity.HIGH


def test_a_resolved_security_hub_finding_resolves() -> None:
    detail = {
        "findings": [
            {"Id": "f-1", "Title": "Open bucket", "Severity": {"Label": "CRITICAL"}, "Workflow": {"Status": "RESOLVED"}}
        ]
    }
    event = {**sample("eventbridge_finding"), "detail-type": "Security Hub Findings - Imported", "detail": detail}
    [said] = read(event).occurrences
    assert (said.status, said.title) == (AlertStatus.RESOLVED, "Open bucket")
    assert rung_of(said) == Severity.CRITICAL


def test_a_changed_configuration_of_an_alarm_is_a_change() -> None:
    event = {**sample("eventbridge_alarm"), "detail-type": "CloudWatch Alarm Configuration Change"}
    [change] = read(event).changes
    assert change.kind == "config"


def test_each_contributor_of_an_alarm_is_an_alert_of_its_own() -> None:
    def event(host: str) -> Any:
        body = sample("eventbridge_alarm")
        body["detail-type"] = "CloudWatch Alarm Contributor State Change"
        body["detail"]["alarmContributor"] = {"id": "c", "attributes": {"host": host}}
        return body

    one, other = (read(event(host)).occurrences[0] for host in ("a", "b"))
    assert one.dedup_key != other.dedup_key
    assert read(event("a")).occurrences[0].dedup_key == one.dedup_key
    assert one.labels["host"] == "a"


def test_an_insight_is_closed_by_the_type_of_its_event() -> None:
    event = {
        **sample("eventbridge_finding"),
        "detail-type": "DevOps Guru Insight Closed",
        "source": "aws.devops-guru",
        "detail": {"insightId": "i-1", "insightSeverity": "high"},
    }
    [said] = read(event).occurrences
    assert (said.dedup_key, said.status) == ("aws.devops-guru|i-1", AlertStatus.RESOLVED)
    assert rung_of(said) == Severity.HIGH


def test_raw_delivery_has_its_delivery_id_in_a_header() -> None:
    inbound = Inbound(json.dumps(message()).encode(), headers={"x-amz-sns-message-id": "m-1"})
    assert parse(inbound, NOW).replay_id == "m-1"


@pytest.mark.parametrize(
    ("kind", "detail", "service", "title"),
    [
        ("CodeDeploy Deployment State-change Notification", {"application": "shop", "state": "FAILURE"}, "shop",
         "CodeDeploy Deployment State-change Notification: shop FAILURE"),
        ("ECS Task State Change", {"group": "service:web", "lastStatus": "STOPPED"}, "web",
         "ECS Task State Change: web STOPPED"),
        ("RDS DB Instance Event", {"SourceIdentifier": "orders", "Message": "Failover started"}, "orders",
         "Failover started"),
        ("EC2 Spot Instance Interruption Warning", {"instance-id": "i-1", "instance-action": "stop"}, "i-1",
         "EC2 Spot Instance Interruption Warning: i-1 stop"),
    ],
)  # fmt: skip
def test_a_change_names_what_it_is_about(kind: str, detail: dict[str, str], service: str, title: str) -> None:
    event = {**sample("eventbridge_ecs_deployment"), "detail-type": kind, "resources": [], "detail": detail}
    [change] = read(event).changes
    assert (change.service, change.title) == (service, title)


def test_a_description_with_a_run_of_spaces_is_read_as_quickly_as_any_other() -> None:
    told = "severity" + " " * 200_000 + "! [" + " " * 200_000 + "x"
    [said] = read(sns(message(AlarmName="gate", AlarmDescription=told))).occurrences
    assert said.severity_raw is None


def test_each_of_several_findings_in_one_event_is_an_alert_with_its_own_resource() -> None:
    findings = [
        {"Id": "f1", "Title": "Open port", "Resources": [{"Id": "arn:aws:ec2:x:1:instance/i-1"}]},
        {"Id": "f2", "Title": "Old key", "Workflow": {"Status": "RESOLVED"}},
        {"Id": "f3"},
    ]  # fmt: skip
    event = {
        "detail-type": "Security Hub Findings - Custom Action", "source": "aws.securityhub", "id": "e1",
        "resources": ["arn:aws:securityhub:eu-north-1::product/aws/x/finding/9"], "detail": {"findings": findings},
    }  # fmt: skip
    for body in (event, sns(event), {"Records": [{"Sns": sns(event)}]}):
        said = read(body).occurrences
        assert [alert.dedup_key for alert in said] == ["aws.securityhub|f1", "aws.securityhub|f2", "aws.securityhub|f3"]
        assert [alert.status.value for alert in said] == ["firing", "resolved", "firing"]
        assert said[0].resource == "i-1"


def test_a_state_that_is_a_plain_word_is_read_as_one() -> None:
    event = sample("eventbridge_alarm")
    event["detail"]["state"] = "OK"
    assert read(event).occurrences[0].status == AlertStatus.RESOLVED
