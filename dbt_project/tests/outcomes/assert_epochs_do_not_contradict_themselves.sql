{{ config(meta={'told': 'seeds/outcomes/epochs.csv: an epoch ends by an end_offset after its start_offset or by an end_event, never both or neither; those of every course have anchor course_n and a name that ends in _n'}) }}
{# An epoch ends either by an offset after its start or by an event, never both, never neither; one of every course
   is named so that its number fits. #}
select epoch
from {{ ref('epochs') }}
where (end_offset is null) = (end_event is null)
    or end_offset <= start_offset
    or (anchor = 'course_n' and epoch not like '%#_n' escape '#')
    or (anchor <> 'course_n' and epoch like '%#_n' escape '#')
    or (end_event = 'next_course' and anchor <> 'course_n')
