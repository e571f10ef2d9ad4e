"""
All that schemathesis is told not to hold against the API, each with its reason and with the test that covers it instead.
No other place excludes anything.

1. RULES. openapi.yaml says in words what JSON Schema cannot: lengths in bytes, numbers written as digits, one field against
   another. A request that breaks such a rule is valid by its schema and yet answered 400. Each rule stands here once more, in
   Python: the refusal is accepted only when the answer names the field and the value that was sent breaks the rule. Every
   other check still looks at the answer.
2. OTHERS. What is left, by check.

At the end stands what makes the tests worth more; it excludes nothing.
"""

import itertools
import os
import threading
from collections import namedtuple
from datetime import datetime, timedelta, timezone

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse

INT64 = range(-(2**63), 2**63)
OLDEST = datetime(2013, 1, 1, tzinfo=timezone.utc)
CLOCK_SKEW = timedelta(minutes=5)


def bytes_over(limit):
    return lambda value, _: isinstance(value, str) and len(value.encode()) > limit


def no_channel_id(value, _):
    """JSON Schema takes 1.0 for an integer; the API takes only what is written as one."""
    return isinstance(value, float) or int(value) == 0 or int(value) not in INT64


def no_message_id(value, _):
    return isinstance(value, float) or int(value) not in range(1, 2**63)


def has_a_bad_id(value, _):
    channels = (value["originalChannelId"], value["destinationChannelId"])
    return any(no_channel_id(id, _) for id in channels) or no_message_id(value["originalMessageId"], _)


def has_a_bad_photo(value, _):
    texts = [photo if isinstance(photo, str) else photo.get("fileId") or "" for photo in value]
    sizes = [photo.get(size) for photo in value if isinstance(photo, dict) for size in ("width", "height", "fileSize")]
    return any(len(text.encode()) > 512 for text in texts) or any(isinstance(size, float) for size in sizes)


def moment(text):
    """None when it is not a moment between the years 1 and 9999."""
    try:
        return datetime.fromisoformat(text).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def has_too_fine_a_fraction(text):
    return len(text.partition(".")[2].rstrip("Zz").partition("+")[0].partition("-")[0]) > 6


def not_recent(value, _):
    time = moment(value)
    return time is None or has_too_fine_a_fraction(value) or not OLDEST <= time <= datetime.now(timezone.utc) + CLOCK_SKEW


def not_recent_or_before_the_message(value, body):
    return not_recent(value, body) or moment(value) < moment(body["timestamp"])


def not_an_instant(value, _):
    if value.lstrip("-").isdigit():
        return not -62135596800000 <= int(value) <= 253402300799999
    return moment(value) is None or has_too_fine_a_fraction(value)


def instant(text):
    if text.lstrip("-").isdigit():
        return datetime.fromtimestamp(0, timezone.utc) + timedelta(milliseconds=int(text))
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def range_is_too_long(value, sent):
    """Days are those of the time zone, and the last one counts as a whole: a day less is the least that can be too long."""
    end = instant(sent["to"]) if "to" in sent else datetime.now(timezone.utc)
    return end - instant(value) > timedelta(days=1099)


def digits_beyond_int64_or_long(value, _):
    if value.removeprefix("-").isdecimal() and value.isascii():
        return int(value) not in INT64
    return len(value.encode()) > 200


def json_that_c_strings_and_int64_cannot_hold(value, _, depth=1):
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, int):
        return value not in INT64
    children = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return depth > 16 or any(json_that_c_strings_and_int64_cannot_hold(child, None, depth + 1) for child in children)


def no_moment(value, _):
    return moment(value) is None or has_too_fine_a_fraction(value)


def names_nothing_to_update(body, _):
    channel = {"label", "channel_id", "channel_type", "description", "status", "signal_count", "last_signal"}
    bot = {"username", "token", "bot_type", "description", "status"}
    return not (channel | bot) & set(body)


def number_beyond_int64(value, _):
    """Of an id or, after the last `-`, of a position."""
    return int(value.rpartition("-")[2]) not in INT64


def has_nul(value, _):
    return "\0" in value


# error: the answer's text; operations: their ids, None = all; field: the part of the request, None = the whole body;
# broken(value, all that was sent by name).
Rule = namedtuple("Rule", "error operations field broken why test")

RULES = [
    Rule("Invalid JSON", None, None, json_that_c_strings_and_int64_cannot_hold,
         "NUL in a string, a number beyond int64 or more than 16 levels: no part of the grammar, so no schema can say it.",
         "test_ingest_when_body_is_no_json_object_then_400"),
    Rule("Invalid field: channelId", ["ingest"], "channelId", no_channel_id,
         "An int64 that is not 0, written as digits.",
         "test_ingest_when_a_field_is_at_its_bound_then_200_and_beyond_400"),
    Rule("Invalid field: messageId", ["ingest"], "messageId", no_message_id,
         "A positive int64, written as digits.",
         "test_ingest_when_a_field_is_at_its_bound_then_200_and_beyond_400"),
    Rule("Invalid field: timestamp", ["ingest"], "timestamp", not_recent,
         "Between 2013 and five minutes from now.",
         "test_message_when_the_clock_is_five_minutes_ahead_then_accepted_and_a_microsecond_more_refused"),
    Rule("Invalid field: editedAt", ["ingest"], "editedAt", not_recent_or_before_the_message,
         "As timestamp, and not before it.",
         "test_ingest_when_a_field_is_at_its_bound_then_200_and_beyond_400"),
    Rule("Invalid field: receivedAt", ["ingest"], "receivedAt", no_moment,
         "A moment of the years 1 to 9999 with at most 6 fraction digits; RFC 3339 has others.",
         "test_ingest_when_a_field_is_at_its_bound_then_200_and_beyond_400"),
    Rule("Invalid field: forwarded", ["ingest"], "forwarded", has_a_bad_id,
         "Its ids follow the rules of channelId and messageId.",
         "test_ingest_when_a_field_is_at_its_bound_then_200_and_beyond_400"),
    Rule("Invalid field: photos", ["ingest"], "photos", has_a_bad_photo,
         "Lengths are counted in bytes, JSON Schema counts characters; and it takes 1.0 for an integer.",
         "test_ingest_when_photos_are_20_then_200_and_21_then_400"),
    *[Rule(f"Invalid field: {field}", ["ingest", "parseText"], field, bytes_over(limit),
           "Lengths are counted in bytes, JSON Schema counts characters.",
           "test_ingest_when_a_text_is_at_its_limit_then_200_and_one_byte_more_400")
      for field, limit in [("text", 16384), ("caption", 16384), ("channelName", 200), ("mediaType", 20)]],
    *[Rule(f"Invalid parameter: {field}", None, field, not_an_instant,
           "The years 1 to 9999, at most 6 fraction digits.",
           "test_instant_when_it_is_none_then_invalid")
      for field in ["from", "to"]],
    *[Rule(f"Invalid parameter: {field}", None, field, bytes_over(limit),
           "Lengths are counted in bytes, JSON Schema counts characters.",
           "test_signals_when_a_text_is_at_its_limit_then_200_and_one_byte_more_400")
      for field, limit in [("type", 40), ("asset", 20), ("search", 100)]],
    Rule("Invalid parameter: from", ["getStatistics"], "from", range_is_too_long,
         "At most 1,100 days up to the other parameter.",
         "test_statistics_when_a_parameter_is_bad_then_400_names_it"),
    Rule("Invalid parameter: channel", None, "channel", digits_beyond_int64_or_long,
         "Digits are an int64; a name is counted in bytes.",
         "test_signals_when_a_parameter_is_out_of_its_rule_then_400_names_it"),
    Rule("Invalid parameter: cursor", None, "cursor", lambda v, _: True,
         "Opaque: only one that an answer gave is good, and never beside offset. Schemathesis draws its own.",
         "test_cursor_when_it_is_not_ours_then_invalid"),
    Rule("Invalid parameter: channelId", ["listForwardedMessages"], "channelId", number_beyond_int64,
         "An int64, written as digits.",
         "test_forwarded_when_a_message_was_forwarded_then_it_is_listed"),
    Rule("Invalid parameter: id", ["getSignal"], "id", number_beyond_int64,
         "An int64, written as digits.",
         "test_signal_when_id_is_unknown_or_no_number_then_404_or_400"),
    Rule("Invalid field: id", ["deleteSignals"], "id", lambda v, _: isinstance(v, float) or int(v) not in INT64,
         "An int64, written as digits.",
         "test_deletion_when_the_body_is_wrong_then_400_says_why_and_nothing_goes"),
    Rule("Invalid field: ingestedAt", ["deleteSignals"], "ingestedAt", no_moment,
         "A moment of the years 1 to 9999 with at most 6 fraction digits; RFC 3339 has others.",
         "test_deletion_when_the_body_is_wrong_then_400_says_why_and_nothing_goes"),
    Rule("Invalid field: channel_id", None, "channel_id", no_channel_id,
         "An int64 that is not 0, written as digits.",
         "test_channel_id_when_at_its_bounds_then_int64_without_0"),
    Rule("Invalid field: signal_count", None, "signal_count", lambda v, _: isinstance(v, float),
         "JSON Schema takes 1.0 for an integer.",
         "test_channel_when_the_body_is_wrong_then_400_names_the_field_and_nothing_is_stored"),
    Rule("Invalid field: last_signal", None, "last_signal", no_moment,
         "A moment of the years 1 to 9999 with at most 6 fraction digits; RFC 3339 has others.",
         "test_channel_when_the_body_is_wrong_then_400_names_the_field_and_nothing_is_stored"),
    Rule("Invalid field: username", None, "username", lambda v, _: not v.removeprefix("@").strip(" \t\n\v\f\r"),
         "Something has to be left when the @ is taken off.",
         "test_username_when_it_has_an_at_then_it_is_taken_off_once"),
    Rule("No fields to update", None, None, names_nothing_to_update,
         "Unknown members are ignored, so that one member is not enough; it has to be a known one.",
         "test_channel_when_the_body_is_wrong_then_400_names_the_field_and_nothing_is_stored"),
    Rule("Invalid field: limit", ["reparseSignals"], "limit", lambda v, _: isinstance(v, float),
         "JSON Schema takes 1.0 for an integer.",
         "test_reparse_when_the_body_is_bad_then_400_names_what"),
    *[Rule(f"Invalid field: {field}", ["reparseSignals"], field, number_beyond_int64,
           "An int64, written as digits.",
           "test_reparse_when_the_body_is_bad_then_400_names_what")
      for field in ["cursor", "channelId"]],
    *[Rule(f"Invalid field: {field}", ["reparseSignals"], field, not_an_instant,
           "The years 1 to 9999, at most 6 fraction digits.",
           "test_instant_when_it_is_none_then_invalid")
      for field in ["from", "to"]],
    *[Rule(f"Invalid parameter: {field}", ["streamSignals"], field, number_beyond_int64,
           "The number of a position is an int64.",
           "test_stream_when_the_number_is_none_then_400")
      for field in ["since", "Last-Event-ID"]],
    *[Rule(f"Invalid parameter: {field}", None, field, has_nul,
           "NUL in a parameter.",
           "test_faults_name_the_parameter")
      for field in ["channel", "type", "asset", "search", "cursor", "since"]],
]


def is_method_the_parser_does_not_know(failure):
    """
    unsupported_method, method QUERY only. A method that llhttp does not know cannot be told from garbage: the
    request is 400 and the connection ends, before there is a path whose methods a 405 could name.
    Test: test_each_malformed_request_is_refused_and_the_connection_closed
    """
    return isinstance(failure, UnsupportedMethodResponse) and failure.method == "QUERY" and failure.status_code == 400


OTHERS = [is_method_the_parser_does_not_know]


def sent_in(case):
    """All that the request says by name."""
    body = case.body if isinstance(case.body, dict) else {}
    return {**(case.headers or {}), **(case.path_parameters or {}), **(case.query or {}), **body}


def is_refused_by_a_rule(failure, case, response):
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return False
    error, sent = response.json()["error"], sent_in(case)
    for rule in RULES:
        if rule.error != error or (rule.operations and case.operation.definition.raw["operationId"] not in rule.operations):
            continue
        if rule.field is None and rule.broken(case.body, None):
            return True
        if sent.get(rule.field) is not None and rule.broken(sent[rule.field], sent):
            return True
    return False


@schemathesis.hook
def filter_failure(context, failure: Failure, case: schemathesis.Case, response: Response) -> bool:
    return not (is_refused_by_a_rule(failure, case, response) or any(excluded(failure) for excluded in OTHERS))


# --- for tests that are worth more ----------------------------------------------------------------------------------------

# A message is recent or refused, and of all years hardly one is. The range is fixed, so that a seed gives the same run tomorrow.
schemathesis.openapi.format(
    "date-time",
    st.builds(
        lambda time, zone: time.isoformat() + zone,
        st.datetimes(datetime(2013, 1, 2), datetime(2025, 12, 31)),
        st.sampled_from(["Z", "+00:00", "-03:00"]),
    ),
)

message_ids = itertools.count(10**9)


def store_a_message(base_url):
    message = {"channelId": "-1001000000009", "messageId": next(message_ids), "text": "x", "timestamp": "2025-11-03T13:00:00Z"}
    requests.post(f"{base_url}/ingest", json=message, headers={"X-Gateway-Token": os.environ["GATEWAY_TOKEN"]}, timeout=60)


@schemathesis.hook
def before_call(context, case: schemathesis.Case, kwargs) -> None:
    """While a stream is read something happens, so that its event is looked at and nobody waits in silence."""
    if case.operation.path == "/signals/stream":
        threading.Timer(0.05, store_a_message, [case.operation.base_url]).start()
