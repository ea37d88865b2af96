"""What a measured set holds of every window and every rest: models of those parts of its records."""

from typing import Annotated

from pydantic import Field

from vocoder_pareto.measurement.stored_record import Part, Word

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[float, Field(ge=0, le=1e30)]  # beyond that, squares have no end
Amount = Annotated[float, Field(gt=0, le=1e30)]
Celsius = Annotated[float, Field(ge=-50, le=200)]
Utc = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)$")]


class Moment(Part):
    """One end of a window."""

    utc: Utc
    """When, in UTC by ISO 8601."""

    monotonic_seconds: NotNegative
    """The same by a clock that nobody sets."""

    counters: dict[str, NotNegative | None]
    """What the counters of the meter showed, in their units; null where one could not be read."""


class State(Part):
    """The device right before or after a window; null is what it does not tell, and what it has not is absent."""

    monotonic_seconds: NotNegative
    cpu_mhz: Amount | None
    cpu_celsius: Celsius | None
    machine_cpu_seconds: NotNegative
    """What all cores of the machine were busy for since it started."""

    own_cpu_seconds: NotNegative
    """What this process kept them busy for."""

    sm_clock_mhz: NotNegative | None = None
    memory_clock_mhz: NotNegative | None = None
    temperature_celsius: Celsius | None = None
    power_watts: NotNegative | None = None
    throttle_reasons: list[Word] | None = None
    processes: list[Count] = Field(default_factory=list)
    """Numbers of the processes on the accelerator, this one's included."""


class Latencies(Part):
    """The distribution of the seconds that a pass took."""

    passes: Positive
    mean: Amount
    minimum: Amount
    p5: Amount
    p50: Amount
    p95: Amount
    p99: Amount
    maximum: Amount


class Window(Part):
    """A stretch of work that was measured."""

    attempt: Count
    process: Count
    counted: bool
    """Whether the result is of this window, too."""

    valid: bool
    """Whether its counters can be believed."""

    reasons: list[Word]
    """Why not."""

    joules: NotNegative | None
    seconds: Amount
    audio_seconds: Amount
    passes: Positive
    joules_per_audio_second: NotNegative | None
    mean_power_watts: NotNegative | None
    joules_by_domain: dict[str, NotNegative | None]
    latency_seconds: Latencies
    start: Moment
    end: Moment
    state_before: State
    state_after: State
    disturbances: list[Word]


class Rest(Part):
    """A stretch in which the device did nothing."""

    joules: NotNegative | None
    seconds: Amount
    by_domain: dict[str, NotNegative | None]
    source: Word
    valid: bool
    reasons: list[Word]
    stood_still: bool = False
