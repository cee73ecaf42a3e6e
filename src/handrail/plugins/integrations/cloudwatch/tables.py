"""What Amazon's words mean here: plain data, to be read and changed without reading code."""

from handrail.domain.alert import AlertStatus, Severity

STATUSES = {
    "alarm": AlertStatus.FIRING,
    "insufficient_data": AlertStatus.FIRING,
    "ok": AlertStatus.RESOLVED,
}

# Alarms have no severity, so people write it into names. Worst first: of two words the worse one counts.
SEVERITY_WORDS = {
    "critical": Severity.CRITICAL, "crit": Severity.CRITICAL, "fatal": Severity.CRITICAL, "sev0": Severity.CRITICAL,
    "p1": Severity.CRITICAL, "emergency": Severity.CRITICAL, "page": Severity.CRITICAL,
    "high": Severity.HIGH, "major": Severity.HIGH, "sev1": Severity.HIGH, "p2": Severity.HIGH, "error": Severity.HIGH,
    "warning": Severity.MEDIUM, "warn": Severity.MEDIUM, "medium": Severity.MEDIUM, "sev2": Severity.MEDIUM,
    "p3": Severity.MEDIUM, "minor": Severity.MEDIUM,
    "low": Severity.LOW, "sev3": Severity.LOW, "p4": Severity.LOW,
    "info": Severity.INFO, "informational": Severity.INFO, "sev4": Severity.INFO, "p5": Severity.INFO,
}  # fmt: skip
# Within a name these mostly say which way a number went (“CPU too high”), not how bad that is.
ONLY_MARKED = frozenset({"high", "low", "error", "page", "medium"})
WITHOUT_DATA = Severity.LOW

FINDING_SEVERITIES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.0, Severity.LOW))
EVENT_SEVERITIES = {
    "critical": Severity.CRITICAL, "high": Severity.HIGH, "error": Severity.HIGH, "medium": Severity.MEDIUM,
    "warning": Severity.MEDIUM, "low": Severity.LOW, "informational": Severity.INFO, "info": Severity.INFO,
}  # fmt: skip

SERVICE_DIMENSIONS = (
    "Service", "ServiceName", "service", "service.name", "FunctionName", "ApiName", "ApiId", "StateMachineArn",
    "DBClusterIdentifier", "DBInstanceIdentifier", "QueueName", "TopicName", "TableName", "StreamName", "BucketName",
    "LoadBalancer", "LoadBalancerName", "TargetGroup", "CacheClusterId", "AutoScalingGroupName", "ClusterName",
    "DistributionId", "Application", "Environment",
)  # fmt: skip
RESOURCE_DIMENSIONS = (
    "InstanceId", "host", "Host", "DBInstanceIdentifier", "TaskId", "PodName", "NodeName", "VolumeId",
    "LoadBalancer", "FunctionName", "QueueName", "TableName", "BucketName",
)  # fmt: skip

# Whose events are which kind of change; the type is asked first, the source after it.
CHANGE_TYPES = (
    ("rollback", "rollback"), ("codedeploy", "deploy"), ("deployment", "deploy"), ("codepipeline", "deploy"),
    ("cloudformation", "infrastructure"), ("auto scaling", "scale"), ("autoscaling", "scale"),
    ("cloudtrail", "config"), ("configuration", "config"), ("config rules", "config"), ("parameter store", "config"),
    ("maintenance", "infrastructure"), ("reboot", "restart"), ("feature flag", "flag"),
)  # fmt: skip
CHANGE_SOURCES = {
    "aws.codedeploy": "deploy", "aws.codepipeline": "deploy", "aws.autoscaling": "scale", "aws.config": "config",
    "aws.ssm": "config", "aws.appconfig": "config", "aws.dms": "migration",
}  # fmt: skip
CHANGE_SERVICE_FIELDS = (
    "applicationName", "pipeline", "project-name", "AutoScalingGroupName", "SourceIdentifier", "stateMachineArn",
)  # fmt: skip
ALERT_WORDS = frozenset(
    {"alert", "alerts", "alarm", "incident", "problem", "finding", "findings", "anomaly", "insight", "outage"}
)
EVENT_STATUSES = {
    "resolved": AlertStatus.RESOLVED, "closed": AlertStatus.RESOLVED, "ok": AlertStatus.RESOLVED,
    "archived": AlertStatus.RESOLVED, "suppressed": AlertStatus.RESOLVED, "recovered": AlertStatus.RESOLVED,
    "acknowledged": AlertStatus.ACKNOWLEDGED, "notified": AlertStatus.ACKNOWLEDGED,
}  # fmt: skip
