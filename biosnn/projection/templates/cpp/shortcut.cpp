{# At most one synapse per neuron: pixels at multiples of the stride, channels moved by a number of places. #}
{% extends 'projection.cpp' %}

{% block outgoing %}
const int64_t _channel = _pre % {{n.channels_in}}, _pixel = _pre/{{n.channels_in}};
const int64_t _y = _pixel/{{n.columns_in}}, _x = _pixel % {{n.columns_in}};
if (_y % {{n.stride_rows}} || _x % {{n.stride_columns}}) continue;
do
{
    const size_t _post = (_y/{{n.stride_rows}}*{{n.columns_out}} + _x/{{n.stride_columns}})*{{n.channels_out}} + _channel + {{n.before}}, _idx = 0;
    {{self.synapse()}}
} while (false);
{% endblock %}

{% block incoming %}
const int64_t _channel = int64_t(_post % {{n.channels_out}}) - {{n.before}}, _pixel = _post/{{n.channels_out}};
if (_channel < 0 || _channel >= {{n.channels_in}}) continue;
do
{
    const size_t _pre = (_pixel/{{n.columns_out}}*{{n.stride_rows*n.columns_in}} + _pixel % {{n.columns_out}}*{{n.stride_columns}})*{{n.channels_in}} + _channel, _idx = 0;
    {{self.synapse()}}
} while (false);
{% endblock %}
