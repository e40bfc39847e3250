import json


def encode(value, types):
    try:
        data = json.dumps(value).encode()
        return data if json.loads(data) == value else None
    except (TypeError, ValueError):
        return None


def decode(data, types):
    return json.loads(data)
