{# Windows of pixels, each channel for itself. With a gate, a spike passes where it makes its neuron's count larger than
   any in the window so far. Where spikes carry a value, it is by how much the largest sum in the window changes that
   passes. If a sum falls that was the largest, the sums of the window are gone through anew; beyond the border they
   are 0. #}
{% extends 'projection.cpp' %}

{% block outgoing %}
{% if gate and gate.carried %}
int32_t* _sums = {{get_array_name(gate.counts)}};
const int32_t _sum_before = _sums[_pre], _sum = _sum_before + (int32_t) std::lrint((double) _once_{{gate.carried}});
_sums[_pre] = _sum;
int32_t* _largest = {{get_array_name(gate.largest)}};
{% elif gate %}
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
        {% if gate and gate.carried %}
        const int32_t _most = _largest[_post];
        if (_sum > _most)
            _largest[_post] = _sum;
        else if (_sum < _sum_before && _sum_before == _most)
        {
            int32_t _found = INT32_MIN;
            for (int64_t _row = 0; _row < {{n.kernel_rows}}; _row++)
                for (int64_t _column = 0; _column < {{n.kernel_columns}}; _column++)
                {
                    const int64_t _from_y = _y - {{n.top}} + _row, _from_x = _x - {{n.left}} + _column;
                    const bool _inside = _from_y >= 0 && _from_y < {{n.rows_in}} && _from_x >= 0 && _from_x < {{n.columns_in}};
                    const int32_t _other = _inside ? _sums[(_from_y*{{n.columns_in}} + _from_x)*{{n.channels}} + _channel] : 0;
                    if (_other > _found) _found = _other;
                }
            _largest[_post] = _found;
        }
        const int32_t change = _largest[_post] - _most;
        if (change == 0) continue;
        {% elif gate %}
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
