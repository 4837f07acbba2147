{# What connects to what, of each random kind: `row` draws the targets of a source, or where sources are drawn, those of a
   target, into `_row`; `prepare` has what it needs. `_who` is the neuron that draws, `_choices` from how many, `_itself` its
   own index among these or -1, `_start` where its numbers begin. Targets ascend, but where `in_order` is false and only
   which they are matters. The kinds of random/kinds.py have the same in NumPy. #}
{% macro prepare(kind, n, key, number, stream) %}
const int64_t _choices = {{n.sources if kind.by_target else n.targets}};
{% if kind.number in ("p", "k") %}
const {{"double" if kind.number == "p" else "int64_t"}} _{{kind.number}} = {{number}}[0];
{% elif kind.number == "n" %}
{% set ends = kind.populations(n.sources, n.targets)[1] %}
const int _target_populations = {{ends|length - 1}};
const int64_t _target_ends[] = { {{ends|join(", ")}} };
{% endif %}
const uint64_t _stream = _Counter::stream({{key}}, {{stream}}, 0);
static std::vector<int32_t> _row;
{% if kind.rows_template == "fixed_degree" and not kind.multapses %}
static std::vector<int64_t> _drawn_by;
static int64_t _rows_drawn = 0;
{% endif %}
{% endmacro %}

{% macro row(kind, same, chance="", n=none, where="", in_order=true) %}
const uint64_t _start = _Counter::start(_stream, _who);
{% if same is none or kind.autapses is not defined or kind.autapses %}
const int64_t _itself = -1;
{% else %}
const int64_t _same = _who {{"-" if kind.by_target else "+"}} ({{same}}), _itself = _same >= 0 && _same < _choices ? _same : -1;
{% endif %}
_row.clear();
{% if kind.rows_template == "fixed_probability" %}
{{fixed_probability(kind)}}
{% elif kind.rows_template == "fixed_degree" %}
{{fixed_degree(kind)}}
{% if in_order and not kind.by_target %}
_Counter::sort(_row, _choices);
{% endif %}
{% elif kind.rows_template == "fixed_total" %}
{{fixed_total(kind)}}
{% if in_order %}
_Counter::sort(_row, _choices);
{% endif %}
{% else %}
{{by_distance(kind, chance, n, where)}}
{% endif %}
{% endmacro %}

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
_rows_drawn++;
{% endif %}
for (uint64_t _place = 0; (int64_t) _row.size() < _k; _place++)
{
    int64_t _other = _Counter::below(_Counter::bits(_start, _place), _itself < 0 ? _choices : _choices - 1);
    if (_itself >= 0 && _other >= _itself) _other++;
    {% if not options.multapses %}
    if (_drawn_by[_other] == _rows_drawn) continue;
    _drawn_by[_other] = _rows_drawn;
    {% endif %}
    _row.push_back((int32_t) _other);
}
{% endmacro %}

{% macro fixed_total(options) %}
uint64_t _place = 0;
for (int _population = 0; _population < _target_populations; _population++)
    for (int64_t _end = _place + _outdegrees[_who*_target_populations + _population]; (int64_t) _place < _end; _place++)
        _row.push_back((int32_t) (_target_ends[_population] + _Counter::below(_Counter::bits(_start, _place), _target_ends[_population + 1] - _target_ends[_population])));
{% endmacro %}

{% macro by_distance(options, chance, n, where) %}
const size_t _presynaptic_idx = _who + {{n.source_start}};
for (int64_t _other = 0; _other < _choices; _other++)
{
    const size_t _postsynaptic_idx = _other + {{n.target_start}};
    const int32_t i = _who, j = _other;
    const size_t _idx = 0, _vectorisation_idx = 0;
    double _probability;
    {
        {{chance|autoindent}}
        _probability = _chance;
    }
    if (!(_probability >= 0 && _probability <= 1))
    {
        std::cerr << "{{where}}, ByDistance: expected probabilities from 0 to 1 (got " << _probability << ")." << std::endl;
        std::exit(1);
    }
    if (_Counter::uniform(_Counter::bits(_start, _other)) < _probability{% if not options.autapses %} && _other != _itself{% endif %}) _row.push_back((int32_t) _other);
}
{% endmacro %}
