"""The releases that each service knows and what is wrong with the bad ones, as data; `service.py` gives them effect."""

from dataclasses import dataclass

from handrail.drills.estate.topology import SERVICES


@dataclass(frozen=True)
class Fault:
    """What a release does wrong. Every field at its default is a release without fault.

    `leak_probability`: share of requests that never give their connection back.
    `hang_probability`: share of requests that wait, without timeout, for a notice that does not come.
    `burn_cpu_seconds`: processor time that each request takes while nothing else of the service can run.
    `downstream_port`: the port at which the release looks for its dependency.
    """

    name: str
    title: str
    leak_probability: float = 0.0
    hang_probability: float = 0.0
    burn_cpu_seconds: float = 0.0
    downstream_port: int | None = None

    @property
    def needs_downstream(self) -> bool:
        """Whether the fault means anything only in a service that calls another one."""
        return self.hang_probability > 0 or self.downstream_port is not None


NO_FAULT = Fault("none", "works as intended")

# Port 9 (discard) is never served on a machine of today, so a call to it is refused at once.
FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        NO_FAULT,
        Fault("leak_connections", "does not give every connection back to the pool", leak_probability=0.08),
        Fault("hang_on_dependency", "waits for settlement notices without a timeout", hang_probability=0.3),
        Fault("hot_loop", "computes in a hot loop on every request", burn_cpu_seconds=0.04),
        Fault("wrong_downstream_port", "ships a configuration with the wrong port", downstream_port=9),
    )
}


@dataclass(frozen=True)
class Release:
    """One version of one service."""

    service: str
    version: str
    fault: Fault = NO_FAULT


KNOWN: dict[tuple[str, str], Release] = {
    (release.service, release.version): release
    for release in (
        Release("payments", "2.4.0"),
        Release("payments", "2.4.1", FAULTS["leak_connections"]),
        Release("orders", "1.8.0"),
        Release("orders", "1.8.1", FAULTS["hang_on_dependency"]),
        Release("orders", "1.8.2", FAULTS["wrong_downstream_port"]),
        Release("storefront", "3.1.0"),
        Release("storefront", "3.1.1", FAULTS["hot_loop"]),
    )
}


def release_of(service: str, version: str, fault: str | None = None) -> Release | str:
    """The release to run, or a sentence that says why there is none.

    A named fault makes a release of any version, known or not; without one the version must be known.
    """
    if fault is None:
        known = KNOWN.get((service, version))
        return known or f"{service} has no release {version}; known are {', '.join(versions(service))}."
    named = FAULTS.get(fault)
    if named is None:
        return f"There is no fault {fault}; known are {', '.join(FAULTS)}."
    if named.needs_downstream and SERVICES[service].dependency_path is None:
        return f"The fault {fault} needs a service that calls another one; {service} calls none."
    return Release(service, version, named)


def versions(service: str) -> tuple[str, ...]:
    """The known versions of a service, oldest first."""
    return tuple(release.version for release in KNOWN.values() if release.service == service)
