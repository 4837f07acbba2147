{# Windows of pixels, each channel for itself. With a gate, a spike passes where it makes its neuron's count larger than
   any in the window so far. #}
{% extends 'projection.cpp' %}

{% block outgoing %}
{% if gate %}
const int32_t _count = ++{{get_array_name(gate.counts)}}[_pre];
int32_t* _largest = {{get_array_name(gate.largest)}};
{% endif %}
const int64_t _channel = _pre % {{n.channels}}, _pixel = _pre/{{n.channels}};
for (int64_t _down = 0; _down < {{n.kernel_rows}}; _down++)
{
    const int64_t _y = _pixel/{{n.columns_in}} + {{n.top}} - _down;
    if (_y < 0 || _y % {{n.stride_rows}} || _y >= {{n.rows_out*n.stride_rows}}) continue;
    for (int64_t _right = 0; _right < {{n.kernel_columns}}; _right++)
    {
        const int64_t _x = _pixel % {{n.columns_in}} + {{n.left}} - _right;
        if (_x < 0 || _x % {{n.stride_columns}} || _x >= {{n.columns_out*n.stride_columns}}) continue;
        const size_t _post = (_y/{{n.stride_rows}}*{{n.columns_out}} + _x/{{n.stride_columns}})*{{n.channels}} + _channel, _idx = 0;
        {% if gate %}
        if (_count <= _largest[_post]) continue;
        _largest[_post] = _count;
        {% endif %}
        {{self.synapse()}}
    }
}
{% endblock %}

{% block incoming %}
const int64_t _channel = _post % {{n.channels}}, _pixel = _post/{{n.channels}};
for (int64_t _down = 0; _down < {{n.kernel_rows}}; _down++)
{
    const int64_t _y = _pixel/{{n.columns_out}}*{{n.stride_rows}} - {{n.top}} + _down;
    if (_y < 0 || _y >= {{n.rows_in}}) continue;
    for (int64_t _right = 0; _right < {{n.kernel_columns}}; _right++)
    {
        const int64_t _x = _pixel % {{n.columns_out}}*{{n.stride_columns}} - {{n.left}} + _right;
        if (_x < 0 || _x >= {{n.columns_in}}) continue;
        const size_t _pre = (_y*{{n.columns_in}} + _x)*{{n.channels}} + _channel, _idx = 0;
        {{self.synapse()}}
    }
}
{% endblock %}
