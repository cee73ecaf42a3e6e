"""What Amazon's senders share: the SNS envelope, EventBridge's envelope, CloudWatch's alarms and AWS Health's events.

An SNS message asks to be confirmed by a request to an address in its body. That is never done here: `confirmation_of`
hands the address on for a person to decide.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from handrail.domain.alert import Occurrence, ReportedChange
from handrail.kernel.errors import BadInput, BadSignature, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.batch import other_sender, read_items, refuse_if_nothing
from handrail.plugins.integrations.contract import Confirmation, Inbound, Parsed, Verdict
from handrail.plugins.integrations.fields import clip, extra_of, key_of, key_text, mapping, read_body, read_inner, words
from handrail.plugins.integrations.reading import short
from handrail.plugins.integrations.signatures import equal_token, sns, sns_certificate_url

CONFIRMING = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:(?P<region>[a-z0-9-]*):(?P<account>\d*):")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-\d{1,2}")
_ENVELOPE = frozenset(
    {
        "Type", "MessageId", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL",
        "SigningCertUrl", "UnsubscribeURL", "UnsubscribeUrl", "Token", "SubscribeURL",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """One thing that Amazon said, out of its envelopes. `around` is what the SNS envelope adds, empty without one."""

    item: dict[str, Any]
    around: dict[str, Any] = field(default_factory=dict)
    delivery: str | None = None


Read = Callable[[Said], Occurrence | ReportedChange]


def is_sns(body: Any) -> bool:
    return type(body) is dict and "TopicArn" in body and ("Type" in body or "MessageId" in body)


def _whole(said: Said) -> list[Said]:
    return [said]


def parse_with(
    inbound: Inbound,
    expected: str,
    knows: Callable[[Any], bool],
    read: Read,
    split: Callable[[Said], list[Said]] = _whole,
) -> Parsed:
    """One request: bare, within SNS, or SNS records that a function passes on. `knows` tells our items from others',
    and `split` takes one apart that tells of several things.

    The delivery id is SNS's `MessageId` or EventBridge's `id`: both stay the same when a delivery is tried again.
    """
    body = read_body(inbound)
    if is_sns(body) and words(body.get("Type")) in CONFIRMING:
        return Parsed(confirmations=(confirmation_of(body),), replay_id=_delivery(body.get("MessageId")))
    if type(body) is dict and _is_records(body.get("Records")):
        return _parse_records(body, expected, lambda record: split(_said(record, expected, knows)), read)
    said = _said(body, expected, knows)
    # With raw delivery SNS writes its own id into a header.
    delivery = said.delivery or _delivery(inbound.headers.get("x-amz-sns-message-id"))
    parts = split(said)
    if len(parts) == 1:
        return _parsed([read(parts[0])], (), delivery)
    kept, rejected = read_items(parts, read)
    refuse_if_nothing(kept, rejected, body, expected)
    return _parsed(kept, rejected, delivery)


def verify_sns(inbound: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    """SNS's signature where its certificate is at hand, and the topic where `secrets` name topics.

    Every topic of every AWS account has a good signature, so it never stands for the source's token: only a source
    whose signing secrets are ARNs of topics is known by it, and then nothing else is taken. Without secrets the token
    told who sends: then a message that is not SNS's, or whose certificate is not to be had, has that alone. A
    message that names a certificate elsewhere than at Amazon is refused: nobody but a forger writes one.
    """
    body = read_body(inbound)
    is_signed = is_sns(body) and "Signature" in body
    address = sns_certificate_url(body) if is_signed else None
    if secrets:
        equal_token(words(body.get("TopicArn")) if is_signed else None, secrets)
    elif not is_signed or (address is not None and address not in inbound.certificates):
        return Verdict.TOKEN
    if address is None:
        raise BadSignature("The signature does not fit.")
    sns(body, inbound.certificates, now)
    return Verdict.VERIFIED


def certificate_url(inbound: Inbound) -> str | None:
    """Where the certificate of an SNS message lies; None for everything else, also for what cannot be read."""
    try:
        body = read_body(inbound)
    except BadInput:
        return None
    return sns_certificate_url(body) if is_sns(body) else None


def confirmation_of(body: Mapping[str, Any]) -> Confirmation:
    """What SNS wants confirmed, to be shown to a person, also where the address is not Amazon's: the person is told
    so, and it can never be called."""
    url = words(body.get("SubscribeURL"))
    if not url or len(url) > LIMITS.link_chars:
        raise Unprocessable(
            "The SNS message asks to be confirmed and names no address for it, or one that is too long. Nothing was "
            "done. Confirm the subscription in the AWS console, or delete it there.",
            code="unexpected_format",
        )
    topic, token = short(body.get("TopicArn")), words(body.get("Token"))
    return Confirmation(url=url, topic=topic or "", token=clip(token, LIMITS.link_chars))


def region_and_account(*arns: Any) -> tuple[str, str]:
    """The first region and the first account that the given ARNs name; empty where none does."""
    found = [match for arn in arns if (match := _ARN.match(words(arn)))]
    region = next((match["region"] for match in found if match["region"]), "")
    return region, next((match["account"] for match in found if match["account"]), "")


def last_part(arn: Any) -> str:
    """What an ARN names within its service: the part after the last slash or colon."""
    return re.split(r"[/:]", words(arn))[-1]


def console_link(region: str, path: str, fragment: str) -> str | None:
    """A page of the AWS console; None unless the region is one. `fragment` is quoted here."""
    if not _REGION.fullmatch(region):
        return None
    host = "console.amazonaws.cn" if region.startswith("cn-") else "console.aws.amazon.com"
    return f"https://{region}.{host}/{path}?region={region}#{quote(fragment, safe=':/?=&')}"


def around(said: Said) -> dict[str, object]:
    """What the SNS envelope adds, for `extra`."""
    kept = extra_of(said.around, _ENVELOPE)
    return {"sns": kept} if kept else {}


def _said(body: Any, expected: str, knows: Callable[[Any], bool]) -> Said:
    if not is_sns(body):
        if not knows(body):
            raise other_sender(body, expected)
        return Said(body, delivery=_delivery(body.get("id")) if "detail-type" in body else None)
    inner = _inner(body, expected)
    if not knows(inner):
        raise other_sender(inner, expected)
    return Said(inner, body, _delivery(body.get("MessageId")))


def _inner(envelope: Mapping[str, Any], expected: str) -> Any:
    """The message inside: JSON in a text. SNS also carries free text, which names no alarm and no state."""
    message = envelope.get("Message")
    if type(message) is dict:
        return message
    try:
        return read_inner(words(message))
    except BadInput as fault:
        raise Unprocessable(
            f"The SNS message holds no JSON that can be read ({fault.detail}) This address expects {expected}.",
            code="unexpected_format",
        ) from None


def _is_records(value: Any) -> bool:
    return type(value) is list and bool(value) and all(type(mapping(item).get("Sns")) is dict for item in value)


def _parse_records(body: dict[str, Any], expected: str, parts: Callable[[Any], list[Said]], read: Read) -> Parsed:
    records = [{"Type": "Notification", **record["Sns"]} for record in body["Records"]]
    deliveries = [_delivery(record.get("MessageId")) for record in records]
    kept, rejected = read_items(records, lambda record: [read(part) for part in parts(record)])
    refuse_if_nothing(kept, rejected, body, expected)
    return _parsed(
        [said for of_record in kept for said in of_record],
        rejected,
        deliveries[0] if len(deliveries) == 1 else key_of(*deliveries),
    )


def _parsed(kept: Sequence[Occurrence | ReportedChange], rejected: Any, delivery: str | None) -> Parsed:
    return Parsed(
        occurrences=tuple(item for item in kept if isinstance(item, Occurrence)),
        changes=tuple(item for item in kept if isinstance(item, ReportedChange)),
        rejected=rejected,
        replay_id=delivery,
    )


def _delivery(value: Any) -> str | None:
    return key_text(words(value)) or None
