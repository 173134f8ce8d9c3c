import pytest

from crawler.observe.board.latency import BOUNDS, Lengths, added, latency_of
from crawler.observe.board.shown import Latency
from crawler.observe.board.steps import Sample, Steps


def second(number: int, **values: object) -> Sample:
    return Sample(time=float(number), seconds=1.0, **values)  # type: ignore[arg-type]


def test_a_crawl_of_any_length_fits_a_chart_and_loses_no_page() -> None:
    steps = Steps(most=600)
    longer = [steps.add(second(number, pages=number % 7)) for number in range(5000)]
    series = steps.series()
    assert sum(longer) == 4  # at 601, 1,202, 2,404 and 4,808 seconds
    assert series.step == 16.0
    assert len(series.time) == len(series.pages) == len(series.memory) <= 600
    assert series.time == [16.0 * place for place in range(len(series.time))]
    filling = 5000 - 16 * (len(series.time) - 1)
    pages = sum(rate * 16 for rate in series.pages[:-1]) + series.pages[-1] * filling
    assert round(pages) == sum(number % 7 for number in range(5000))


def test_a_step_that_still_fills_comes_again_with_its_time() -> None:
    steps, newest = Steps(most=2), []
    for number, pages in enumerate([10, 10, 10, 30, 50]):
        steps.add(second(number, pages=pages))
        newest.append(steps.newest())
    assert [(point.time, point.pages) for point in newest[2:] if point is not None] == [(2.0, 10), (2.0, 20), (4.0, 50)]


def test_a_longer_step_has_the_longest_lag_the_last_queue_and_the_percentiles_of_all_its_answers() -> None:
    steps, lengths = Steps(most=1), Lengths()
    for each in (0.1, 0.1, 0.1):
        lengths.add(each)
    steps.add(second(0, lag=0.5, queued=10, lengths=lengths.take_fresh()))
    lengths.add(30.0)
    steps.add(second(1, lag=0.1, queued=20, lengths=lengths.take_fresh()))
    step = steps.newest()
    assert step is not None
    assert (step.lag, step.queued) == (0.5, 20)
    assert step.p50 == pytest.approx(0.1, rel=0.2)
    assert step.p99 == pytest.approx(30.0, rel=0.2)


def test_where_single_answers_are_not_known_the_longer_percentiles_stay() -> None:
    steps = Steps(most=1)
    steps.add(second(0, latency=Latency(p50=0.1, p90=0.2, p99=9.0)))
    steps.add(second(1, latency=Latency(p50=0.3, p90=0.3, p99=0.3)))
    step = steps.newest()
    assert step is not None
    assert (step.p50, step.p90, step.p99) == (0.3, 0.3, 9.0)


def test_samples_that_are_a_little_late_make_no_step_of_one_more() -> None:
    steps = Steps(most=2)
    for number in range(3):
        steps.add(Sample(time=number * 1.01, seconds=1.01))
    assert steps.step == 2.0
    for number in range(3, 6):
        steps.add(Sample(time=number * 1.01, seconds=1.01))
    assert [round(time) for time in steps.series().time] == [0, 4]


@pytest.mark.parametrize("seconds", [0.0004, 0.0123, 0.5, 7.7, 179.0])
def test_percentiles_are_within_a_fifth_of_the_truth(seconds: float) -> None:
    lengths = Lengths()
    for _ in range(100):
        lengths.add(seconds)
    latency = latency_of(lengths.take_fresh())
    assert latency is not None
    for shown in (latency.p50, latency.p90, latency.p99):
        assert shown == pytest.approx(seconds, rel=0.26, abs=0.001)


def test_what_is_longer_than_all_bounds_counts_and_is_said_to_be_the_last_bound() -> None:
    lengths = Lengths()
    lengths.add(1000.0)
    assert lengths.all().counts[-1] == 1
    assert len(lengths.all().counts) == len(BOUNDS) + 1
    assert latency_of(lengths.take_fresh()) == Latency(p50=180.0, p90=180.0, p99=180.0)
    assert latency_of(lengths.take_fresh()) is None


def test_counts_of_several_seconds_are_added() -> None:
    assert added([{1: 2}, {1: 1, 5: 1}, {}]) == {1: 3, 5: 1}
