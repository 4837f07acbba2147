{# Draws the synapses of a random kind, once: what connects to what, the delays, by which the synapses of a source are
   sorted, and the index of those of a target. random/drawing.py does the same in NumPy. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
{% import 'counter.cpp' as counter %}
{{counter.functions()}}
#include<iostream>
{% endblock %}

{% block maincode %}
{% import 'rows.cpp' as rows %}
{% macro list(name) %}{{get_array_name(lists['_list_' ~ name], access_data=False)}}{% endmacro %}
{% set key = get_array_name(lists._key) %}
{% set drawing, choices = (n.targets, n.sources) if kind.by_target else (n.sources, n.targets) %}
if ({{key}}[0] == 0)
{
    const size_t _idx = 0, _vectorisation_idx = 0;
    {{scalar_code['key']|autoindent}}
    {{vector_code['key']|autoindent}}
    {{key}}[0] = (((int64_t) (_first*2147483648.0)) << 32 | (int64_t) (_second*4294967296.0)) | 1;
}
{{rows.prepare(kind, n, key ~ "[0]", get_array_name(lists[kind.number]) if kind.number else "", streams.connectivity)}}
{% if kind.number == "p" %}
const bool _fits = _p >= 0 && _p <= 1;
const double _expected = _p*{{n.sources}}.0*{{n.targets}}.0;
{% elif kind.number == "k" %}
const int64_t _most = {{choices - (0 if kind.autapses or same is none else 1)}};
const bool _fits = _k >= 0 && (_k == 0 || _most > 0) && ({{"true" if kind.multapses else "_k <= _most"}});
const double _expected = _k*{{drawing}}.0;
{% elif not kind.number %}
const double _expected = 0;
const size_t _vectorisation_idx = -1;
{{scalar_code['chance']|autoindent}}
{% else %}
bool _fits = true;
double _expected = 0;
int64_t _n = 0;
for (int _block = 0; _block < {{lists.n.size}} && _fits; _block++)
{
    _n = {{get_array_name(lists.n)}}[_block];
    _fits = _n >= 0;
    _expected += _n;
}
{% endif %}
{% if kind.number %}
if (!_fits)
{
    std::cerr << "{{where}}: {{kind.number}} = " << _{{kind.number}} << " does not fit {{n.sources}} source and {{n.targets}} target neurons." << std::endl;
    std::exit(1);
}
{% endif %}
if (_expected + 8*std::sqrt(_expected) > 2147483647.0)
{
    std::cerr << "{{where}}: expected at most 2147483647 synapses (got about " << _expected << ")." << std::endl;
    std::exit(1);
}
{% if kind.rows_template == "fixed_total" %}
{% set ends = kind.populations(n.sources, n.targets)[0] %}
const int64_t _source_ends[] = { {{ends|join(", ")}} };
{% if computed %}
std::vector<int32_t>& _outdegrees = {{list('outdegrees')}};
{% else %}
std::vector<int32_t> _outdegrees;
{% endif %}
_outdegrees.assign({{n.sources}}*_target_populations, 0);
for (int _from = 0, _block = 0; _from < {{ends|length - 1}}; _from++)
    for (int _population = 0; _population < _target_populations; _population++, _block++)
    {
        const uint64_t _start = _Counter::start(_Counter::stream({{key}}[0], {{streams.outdegrees}}, 0), _block);
        const int64_t _neurons = _source_ends[_from + 1] - _source_ends[_from];
        for (int64_t _place = 0; _place < {{get_array_name(lists.n)}}[_block]; _place++)
            _outdegrees[(_source_ends[_from] + _Counter::below(_Counter::bits(_start, _place), _neurons))*_target_populations + _population]++;
    }
{% endif %}
{% if computed %}
{{get_array_name(lists.N)}}[0] = 0;
{% else %}
std::vector<int64_t>& _indptr = {{list('indptr')}};
std::vector<{{c_data_type(lists._list_indices.dtype)}}>& _indices = {{list('indices')}};
_indptr.assign({{n.sources}} + 1, 0);
{% if kind.by_target %}
for (int64_t _who = 0; _who < {{drawing}}; _who++)
{
    {{rows.row(kind, same, vector_code['chance'], n, where)}}
    for (size_t _k_ = 0; _k_ < _row.size(); _k_++) _indptr[_row[_k_] + 1]++;
}
for (int64_t _pre = 0; _pre < {{n.sources}}; _pre++) _indptr[_pre + 1] += _indptr[_pre];
{
    std::vector<int64_t> _next(_indptr.begin(), _indptr.end() - 1);
    _indices.resize(_indptr.back());
    for (int64_t _who = 0; _who < {{drawing}}; _who++)
    {
        {{rows.row(kind, same, vector_code['chance'], n, where)}}
        for (size_t _k_ = 0; _k_ < _row.size(); _k_++) _indices[_next[_row[_k_]]++] = _who;
    }
}
{% else %}
_indices.reserve((size_t) (_expected + 8*std::sqrt(_expected) + 64));
for (int64_t _who = 0; _who < {{drawing}}; _who++)
{
    {{rows.row(kind, same, vector_code['chance'], n, where)}}
    _indices.insert(_indices.end(), _row.begin(), _row.end());
    _indptr[_who + 1] = _indices.size();
}
{% endif %}
const int64_t _synapses = _indices.size();
if (_synapses > INT32_MAX)
{
    std::cerr << "{{where}}: expected at most 2147483647 synapses (got " << _synapses << ")." << std::endl;
    std::exit(1);
}
{% set needs_delays = '_list_in_delays' in lists or regular %}
{% if delayed %}
{# The synapses of a source by their delays, and for each source and delay where they begin. #}
{
    {% set each = random|length %}
    const double _dt = {{get_array_name(source_dt)}}[0];
    const uint64_t _stream = _Counter::stream({{key}}[0], {{streams.delays}}, 0);
    const size_t _vectorisation_idx = -1;
    {{scalar_code['delay']|autoindent}}
    std::vector<int32_t> _in_steps, _begin;
    std::vector<int32_t> _run_delay, _run_length;
    std::vector<int64_t> _runs({{n.sources}} + 1, 0);
    int64_t _shortest = INT32_MAX, _longest = 0;
    for (int64_t _pre = 0; _pre < {{n.sources}}; _pre++)
    {
        const int64_t _row_begin = _indptr[_pre], _length = _indptr[_pre + 1] - _row_begin;
        const uint64_t _first_start = _Counter::start(_stream, _pre);
        const size_t _presynaptic_idx = _pre + {{n.source_start}};
        _in_steps.resize(_length);
        int32_t _least = INT32_MAX, _most_ = 0;
        for (int64_t _place = 0; _place < _length; _place++)
        {
            const int64_t _idx = _row_begin + _place;
            const size_t _postsynaptic_idx = _indices[_idx] + {{n.target_start}};
            const int32_t i = _pre, j = _indices[_idx];
            const size_t _vectorisation_idx = _idx;
            double _time = -1;
            for (int _attempt = 0; !(_time >= 0); _attempt++)
            {
                if (_attempt == {{attempts if each else 1}} || _time != _time)
                {
                    std::cerr << "{{where}}, delay: expected times that are not negative, or become so if they are drawn up to {{attempts}} times (got " << _time << " s)." << std::endl;
                    std::exit(1);
                }
                {% if each %}
                const uint64_t _start = _attempt == 0 ? _first_start : _Counter::start(_Counter::stream({{key}}[0], {{streams.delays}}, _attempt), _pre);
                {% endif %}
                {% for name, drawn in random %}
                const double {{name}} = _Counter::{{drawn}}(_Counter::bits(_start, _place*{{each}} + {{loop.index0}}));
                {% endfor %}
                {{vector_code['delay']|autoindent}}
                _time = _delay;
            }
            const double _steps = std::floor(_time/_dt + 0.5);
            if (!(_steps <= {{longest_delay}}))
            {
                std::cerr << "{{where}}, delay: expected at most {{longest_delay}} steps (got " << _time << " s)." << std::endl;
                std::exit(1);
            }
            _in_steps[_place] = (int32_t) _steps;
            _least = std::min(_least, _in_steps[_place]);
            _most_ = std::max(_most_, _in_steps[_place]);
        }
        if (_length > 0)
        {
            _shortest = std::min<int64_t>(_shortest, _least);
            _longest = std::max<int64_t>(_longest, _most_);
            _begin.assign(_most_ - _least + 2, 0);
            for (int64_t _place = 0; _place < _length; _place++) _begin[_in_steps[_place] - _least + 1]++;
            for (int32_t _delay_ = _least; _delay_ <= _most_; _delay_++)
                if (_begin[_delay_ - _least + 1])
                {
                    _run_delay.push_back(_delay_);
                    _run_length.push_back(_begin[_delay_ - _least + 1]);
                }
            for (size_t _k_ = 1; _k_ < _begin.size(); _k_++) _begin[_k_] += _begin[_k_ - 1];
            _row.resize(_length);
            for (int64_t _place = 0; _place < _length; _place++)
                _row[_begin[_in_steps[_place] - _least]++] = _indices[_row_begin + _place];
            std::copy(_row.begin(), _row.end(), _indices.begin() + _row_begin);
        }
        _runs[_pre + 1] = _run_delay.size();
    }
    if (_synapses == 0) _shortest = 0;
    {{get_array_name(lists['_range_' ~ delayed])}}[0] = _shortest;
    {{get_array_name(lists['_range_' ~ delayed])}}[1] = _longest;
    const int64_t _ages = _longest - _shortest + 2;
    typedef {{c_data_type(lists['_list_starts_' ~ delayed].dtype)}} _Place;
    std::vector<_Place>& _starts = {{list('starts_' ~ delayed)}};
    _starts.assign({{n.sources}}*_ages, 0);
    {% if needs_delays %}
    {{list('delays_' ~ delayed)}}.reserve(_synapses);
    {% endif %}
    for (int64_t _pre = 0; _pre < {{n.sources}}; _pre++)
    {
        _Place* _of_source = &_starts[_pre*_ages];
        for (int64_t _run = _runs[_pre]; _run < _runs[_pre + 1]; _run++)
        {
            _of_source[_run_delay[_run] - _shortest + 1] = _run_length[_run];
            {% if needs_delays %}
            {{list('delays_' ~ delayed)}}.insert({{list('delays_' ~ delayed)}}.end(), _run_length[_run], _run_delay[_run]);
            {% endif %}
        }
        for (int64_t _age = 1; _age < _ages; _age++) _of_source[_age] += _of_source[_age - 1];
    }
    {{get_array_name(lists['_history_' ~ delayed], access_data=False)}}.assign((_longest + 1)*({{n.spikespace}} + 1), 0);
    {% for name in late %}
    {{get_array_name(lists[name], access_data=False)}}.assign((_longest + 1)*{{n.spikespace}}, 0);
    {% endfor %}
}
{% endif %}
{% if incoming %}
{
    std::vector<int64_t>& _in_indptr = {{list('in_indptr')}};
    std::vector<int32_t>& _in_synapses = {{list('in_synapses')}};
    std::vector<{{c_data_type(lists._list_in_sources.dtype)}}>& _in_sources = {{list('in_sources')}};
    {% if '_list_in_delays' in lists %}
    {{list('in_delays')}}.resize(_synapses);
    {% endif %}
    _in_indptr.assign({{n.targets}} + 1, 0);
    _in_synapses.assign(_synapses + {{ahead}}, 0);
    _in_sources.resize(_synapses);
    for (int64_t _idx = 0; _idx < _synapses; _idx++) _in_indptr[_indices[_idx] + 1]++;
    for (int64_t _post = 0; _post < {{n.targets}}; _post++) _in_indptr[_post + 1] += _in_indptr[_post];
    std::vector<int64_t> _next(_in_indptr.begin(), _in_indptr.end() - 1);
    for (int64_t _pre = 0; _pre < {{n.sources}}; _pre++)
        for (int64_t _idx = _indptr[_pre]; _idx < _indptr[_pre + 1]; _idx++)
        {
            const int64_t _place = _next[_indices[_idx]]++;
            _in_synapses[_place] = _idx;
            _in_sources[_place] = _pre;
            {% if '_list_in_delays' in lists %}
            {{list('in_delays')}}[_place] = {{list('delays_' ~ delayed)}}[_idx];
            {% endif %}
        }
    {% if needs_delays and not regular %}
    std::vector<int16_t>().swap({{list('delays_' ~ delayed)}});
    {% endif %}
}
{% endif %}
{% for var in synaptic %}
{{get_array_name(var, access_data=False)}}.assign(_synapses, 0);
{% endfor %}
{{get_array_name(lists.N)}}[0] = _synapses;
{% endif %}
{% endblock %}
