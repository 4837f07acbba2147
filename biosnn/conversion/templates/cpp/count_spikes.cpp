{# Count the spikes of a step. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
const int32_t* _spikes = {{get_array_name(spikes)}};
const int32_t _num_spikes = _spikes[{{spikes.size - 1}}];
const int32_t _turn = {{get_array_name(variables['_turns'])}}[0] - 1;
if (_turn < 0) return;
const int64_t _now = {{get_array_name(variables['t_in_timesteps'])}}[0] + {{get_array_name(variables['_early'])}}[0];
const int64_t _step = _now - {{get_array_name(variables['_steps'])}}[_turn];
{% if intervals > 1 %}
const int64_t _interval = {{get_array_name(variables['_interval'])}}[_step < {{most}} ? _step : {{most - 1}}];
int32_t* _row = {{get_array_name(counts)}} + ({% if each %}(int64_t) _turn*{{intervals}} + {% endif %}_interval)*{{neurons}};
{% else %}
int32_t* _row = {{get_array_name(counts)}}{% if each %} + (int64_t) _turn*{{neurons}}{% endif %};
{% endif %}
{% if firsts %}
int32_t* _first = {{get_array_name(firsts)}}{% if each %} + (int64_t) _turn*{{neurons}}{% endif %};
for (int32_t _k = 0; _k < _num_spikes; _k++)
    if (!_row[_spikes[_k]]) _first[_spikes[_k]] = _step;
{% endif %}
{% if sums %}
{# A spike that carries a value counts as many as it is; its value is summed beside, after a pre-run. #}
{% if carried %}
const int32_t* _values = {{get_array_name(carried)}};
{% endif %}
const bool _tells = _step >= {{get_array_name(told)}}[0];
int32_t* _sum = {{get_array_name(sums)}} + (_row - {{get_array_name(counts)}});
int64_t _fired = 0;
for (int32_t _k = 0; _k < _num_spikes; _k++)
{
    const int32_t _value = {% if carried %}_values[_spikes[_k]]{% else %}1{% endif %}, _number = _value < 0 ? -_value : _value;
    _row[_spikes[_k]] += _number;
    if (_tells) _sum[_spikes[_k]] += _value;
    _fired += _number;
}
{% else %}
const int64_t _fired = _num_spikes;
for (int32_t _k = 0; _k < _num_spikes; _k++) _row[_spikes[_k]]++;
{% endif %}
{{get_array_name(by_step)}}[_step < {{most}} ? _step : {{most - 1}}] += _fired;
{% endblock %}
