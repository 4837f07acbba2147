{# How the targets of a source are drawn (or, by target, the sources of a target), into `_row`. `_who` is the neuron that
   draws, `_choices` from how many, `_itself` its own index among these or -1, `_start` where its numbers begin. The kinds of
   random_kinds.py have the same in NumPy. #}
{% macro fixed_probability(options) %}
if (_p > 0)
{
    const double _scale = _p < 1 ? 1/std::log1p(-_p) : 0.0;
    double _last = -1;
    for (uint64_t _place = 0; ; _place++)
    {
        _last += 1 + std::floor(std::log(_Counter::uniform(_Counter::bits(_start, _place)))*_scale);
        if (!(_last < _choices)) break;
        {% if options.autapses %}
        _row.push_back((int32_t) _last);
        {% else %}
        if (_last != _itself) _row.push_back((int32_t) _last);
        {% endif %}
    }
}
{% endmacro %}

{% macro fixed_degree(options) %}
{% if not options.multapses %}
_drawn_by.resize(_choices, -1);
{% endif %}
for (uint64_t _place = 0; (int64_t) _row.size() < _k; _place++)
{
    int64_t _other = _Counter::below(_Counter::bits(_start, _place), _itself < 0 ? _choices : _choices - 1);
    if (_itself >= 0 && _other >= _itself) _other++;
    {% if not options.multapses %}
    if (_drawn_by[_other] == (int64_t) _who) continue;
    _drawn_by[_other] = _who;
    {% endif %}
    _row.push_back((int32_t) _other);
}
{% endmacro %}

{% macro fixed_total(options) %}
for (uint64_t _place = 0; (int64_t) _place < _outdegrees[_who]; _place++)
    _row.push_back((int32_t) _Counter::below(_Counter::bits(_start, _place), _choices));
{% endmacro %}
