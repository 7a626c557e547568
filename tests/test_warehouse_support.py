"""The tests' own warehouse: rows in, staging out."""

from tests.support.warehouse import Warehouse


def test_partial_dates_are_derived_in_staging(tmp_path):
    warehouse = Warehouse(tmp_path)
    warehouse.cohort(
        treatments=[{"patient_id": "A", "drug": "Avonex", "start_date": "2014-03", "end_date": "2015"}],
        relapses=[{"patient_id": "A", "onset_date": day} for day in ("2014", "2014-03", "2014-03-02")],
    )
    warehouse.build("staging.cohort")
    onsets = warehouse.sql(
        "select onset_date::varchar as d from staging.stg_cohort__relapses order by d desc"
    )
    assert onsets["d"].to_list() == ["2014-07-01", "2014-03-15", "2014-03-02"]
    treated = warehouse.sql(
        "select start_date::varchar as s, end_date::varchar as e from staging.stg_cohort__treatments"
    )
    assert treated.row(0) == ("2014-03-01", "2015-12-31")
