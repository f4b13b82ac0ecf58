"""Events to whoever reacts to them: exactly once, fair among tenants, a failure set aside."""

from cupola.platform.dispatch.model import Consumer

__all__ = ["Consumer"]
