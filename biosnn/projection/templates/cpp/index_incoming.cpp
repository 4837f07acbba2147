{# A part of connect.cpp: for each target a list of its synapses, of their sources and, where traces are looked up, their
   delays. #}
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
