{# The kernel's taps lead from a pixel to others; channels are innermost on both sides, so that the weights of one tap
   and channel lie in a row, as do the neurons that they lead to. Output y reads the input at y*stride - top +
   down*dilation: for a spike of the input this is solved for y, which has to be whole and within the output. #}
{% extends 'projection.cpp' %}

{% block outgoing %}
{# All synapses of a tap lead elsewhere: vector instructions need no look at whether arrays overlap, and unrolling the
   loop first would keep the compiler from them. #}
{% set vectors = '_Pragma("GCC unroll 1") _Pragma("GCC ivdep")' if apart else "" %}
const int64_t _channel = _pre % {{n.channels_in}}, _pixel = _pre/{{n.channels_in}};
const int64_t _group = _channel/{{n.group_in}}, _inner = _channel % {{n.group_in}};
{% if n.stride_rows == 1 and n.stride_columns == 1 %}
{# Away from the border every tap leads somewhere: loops of known lengths, without a condition in them. #}
const int64_t _row = _pixel/{{n.columns_in}} + {{n.top}}, _column = _pixel % {{n.columns_in}} + {{n.left}};
if (_row >= {{(n.kernel_rows - 1)*n.dilation_rows}} && _row < {{n.rows_out}} && _column >= {{(n.kernel_columns - 1)*n.dilation_columns}} && _column < {{n.columns_out}})
{
    const size_t _corner_post = (_row*{{n.columns_out}} + _column)*{{n.channels_out}} + _group*{{n.group_out}};
    const size_t _corner_idx = _inner*{{n.channels_out}} + _group*{{n.group_out}};
    for (int64_t _down = 0; _down < {{n.kernel_rows}}; _down++)
        for (int64_t _right = 0; _right < {{n.kernel_columns}}; _right++)
        {
            const size_t _first_post = _corner_post - _down*{{n.dilation_rows*n.columns_out*n.channels_out}} - _right*{{n.dilation_columns*n.channels_out}};
            const size_t _first_idx = _corner_idx + (_down*{{n.kernel_columns}} + _right)*{{n.group_in*n.channels_out}};
            {{vectors}}
            for (size_t _k = 0; _k < {{n.group_out}}; _k++)
            {
                const size_t _post = _first_post + _k, _idx = _first_idx + _k;
                {{self.synapse()}}
            }
        }
    continue;
}
{% endif %}
for (int64_t _down = 0; _down < {{n.kernel_rows}}; _down++)
{
    const int64_t _y = _pixel/{{n.columns_in}} + {{n.top}} - _down*{{n.dilation_rows}};
    if (_y < 0 || _y % {{n.stride_rows}} || _y >= {{n.rows_out*n.stride_rows}}) continue;
    for (int64_t _right = 0; _right < {{n.kernel_columns}}; _right++)
    {
        const int64_t _x = _pixel % {{n.columns_in}} + {{n.left}} - _right*{{n.dilation_columns}};
        if (_x < 0 || _x % {{n.stride_columns}} || _x >= {{n.columns_out*n.stride_columns}}) continue;
        const size_t _first_post = (_y/{{n.stride_rows}}*{{n.columns_out}} + _x/{{n.stride_columns}})*{{n.channels_out}} + _group*{{n.group_out}};
        const size_t _first_idx = ((_down*{{n.kernel_columns}} + _right)*{{n.group_in}} + _inner)*{{n.channels_out}} + _group*{{n.group_out}};
        {{vectors}}
        for (size_t _k = 0; _k < {{n.group_out}}; _k++)
        {
            const size_t _post = _first_post + _k, _idx = _first_idx + _k;
            {{self.synapse()}}
        }
    }
}
{% endblock %}

{% block incoming %}
const int64_t _channel = _post % {{n.channels_out}}, _pixel = _post/{{n.channels_out}}, _group = _channel/{{n.group_out}};
for (int64_t _down = 0; _down < {{n.kernel_rows}}; _down++)
{
    const int64_t _y = _pixel/{{n.columns_out}}*{{n.stride_rows}} - {{n.top}} + _down*{{n.dilation_rows}};
    if (_y < 0 || _y >= {{n.rows_in}}) continue;
    for (int64_t _right = 0; _right < {{n.kernel_columns}}; _right++)
    {
        const int64_t _x = _pixel % {{n.columns_out}}*{{n.stride_columns}} - {{n.left}} + _right*{{n.dilation_columns}};
        if (_x < 0 || _x >= {{n.columns_in}}) continue;
        const size_t _first_pre = (_y*{{n.columns_in}} + _x)*{{n.channels_in}} + _group*{{n.group_in}};
        const size_t _first_idx = (_down*{{n.kernel_columns}} + _right)*{{n.group_in*n.channels_out}} + _channel;
        for (size_t _k = 0; _k < {{n.group_in}}; _k++)
        {
            const size_t _pre = _first_pre + _k, _idx = _first_idx + _k*{{n.channels_out}};
            {{self.synapse()}}
        }
    }
}
{% endblock %}
