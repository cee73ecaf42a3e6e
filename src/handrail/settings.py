"""All settings, typed, from the environment (HANDRAIL_...) and the command line; each fault is one sentence."""

import ipaddress
import os
import secrets
import socket
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from handrail.kernel.errors import Fault, Unprocessable
from handrail.kernel.sealed import MasterKeys, read_master_keys
from handrail.kernel.secrets import redact


class Settings(BaseSettings):
    """What an operator can set. Lists are written with commas."""

    model_config = SettingsConfigDict(env_prefix="HANDRAIL_", extra="ignore")

    data_dir: Path = Field(Path("handrail-data"), description="Where the database, keys and exported checkpoints live.")
    database: str = Field("", description="sqlite:///FILE or postgresql://...; empty: SQLite in the data folder.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8400, ge=0, le=65535, description="The port to listen on; 0 takes any free one.")
    public_url: str = Field("", description="How browsers reach this server; empty: from host and port.")
    inbound_open: str = Field("", description="Networks whose senders need no token, such as 127.0.0.0/8.")
    outward_allow: str = Field("", description="host:port of private addresses that may be called.")
    webhook_url: str = Field("", description="Where the webhook channel posts messages.")
    webhook_secret_file: str = Field("", description="File with the webhook's signing secret (whsec_...).")
    control_tokens_file: str = Field("", description="File with lines “host:port token” for services' controls.")
    secret_keys: str = Field("", description="Master keys for kept secrets, 32 bytes each; the first one seals.")
    secret_keys_file: str = Field("", description="File with them, one a line; empty: secrets.key in the data folder.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    trace_file: str = Field("", description="File that OpenTelemetry spans are written to, one JSON object per line.")
    otlp_endpoint: str = Field("", description="OTLP/HTTP endpoint for traces; needs the extra “otlp”.")

    @field_validator("inbound_open")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in _parts(value):
            ipaddress.ip_network(part, strict=False)
        return value

    @field_validator("database")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")):
            raise ValueError("write sqlite:///FILE or postgresql://USER@HOST/NAME")
        try:
            _ = urlsplit(value).port
        except ValueError:
            raise ValueError("the port of the database's address is no number") from None
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("write DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{(self.data_dir / 'handrail.db').absolute()}"

    @property
    def open_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        return tuple(ipaddress.ip_network(part, strict=False) for part in _parts(self.inbound_open))

    @property
    def allowed_targets(self) -> frozenset[str]:
        return frozenset(_parts(self.outward_allow))

    @property
    def url(self) -> str:
        if self.public_url:
            return self.public_url.rstrip("/")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  listened on, not called
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def control_tokens(self) -> dict[str, str]:
        """Bearer tokens of services' controls by host:port."""
        if not self.control_tokens_file:
            return {}
        lines = [line.split() for line in Path(self.control_tokens_file).read_text().splitlines() if line.strip()]
        if any(len(line) != 2 for line in lines):
            raise Unprocessable("Each line of the control tokens file is “host:port token”.", "control_tokens")
        return dict(lines)

    def webhook_secret(self) -> str:
        return Path(self.webhook_secret_file).read_text().strip() if self.webhook_secret_file else ""


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def read_settings(**given: object) -> Settings:
    """Settings from the environment and the options given. Raises Unprocessable with one fault per problem."""
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = tuple(
            Fault(
                f"HANDRAIL_{str(item['loc'][0]).upper()}",
                redact(f"“{item['input']}”: {item['msg'].removeprefix('Value error, ')}."),
            )
            for item in error.errors()
        )
        raise Unprocessable("Some settings are wrong.", "settings", faults) from None
    for name in ("webhook_secret_file", "control_tokens_file", "secret_keys_file"):
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            fault = Fault(
                f"HANDRAIL_{name.upper()}", f"There is no file “{path}”; create it or leave the setting empty."
            )
            raise Unprocessable("Some settings are wrong.", "settings", (fault,))
    return settings


def installation_seed(data_dir: Path) -> bytes:
    """The 32 bytes that sign checkpoints and seal entries; made at first start, readable by the owner alone."""
    file = data_dir / "record.key"
    if not file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        _make_once(file, secrets.token_hex(32) + "\n")
    try:
        seed = bytes.fromhex(file.read_text().strip())
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise Unprocessable(f"{file} does not hold a key of 32 bytes; restore it from your backup.", "record_key")
    return seed


def master_keys(settings: Settings) -> MasterKeys:
    """What seals the secrets that are read back: as set, or one key made at first start beside record.key."""
    if settings.secret_keys and settings.secret_keys_file:
        raise Unprocessable(
            "Both HANDRAIL_SECRET_KEYS and HANDRAIL_SECRET_KEYS_FILE are set; leave one out.", "secret_keys"
        )
    if settings.secret_keys:
        return read_master_keys(_parts(settings.secret_keys))
    file = Path(settings.secret_keys_file) if settings.secret_keys_file else settings.data_dir / "secrets.key"
    if not file.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        _make_once(file, secrets.token_hex(32) + "\n")
    return read_master_keys(file.read_text().split())


def _make_once(file: Path, text: str) -> None:
    """Make the file whole or not at all; when two processes start at once, the first one's stays."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    partial.touch(mode=0o600)
    try:
        partial.write_text(text)
        os.link(partial, file)
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def node_name(sqlite: bool) -> str:
    """SQLite has one process with one name, so that it finds its own work again; PostgreSQL nodes never share one."""
    return "single" if sqlite else f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
