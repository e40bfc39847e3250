"""Nothing here is collected but the tests: peers need packages that tests do without."""

collect_ignore = ["peers", "survivors"]
