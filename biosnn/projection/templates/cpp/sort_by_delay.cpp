{# A part of connect.cpp: delays are drawn, the synapses of each source put into their order, and where those of each delay
   begin is noted; and among these, whose targets ascend, where those of each thread do. #}
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
    const std::vector<size_t> _bounds = biosnn::parts_by_synapses({{n.targets}}, _indices.data(), _synapses);
    const int64_t _parts = _bounds.size() - 1, _places = (_longest - _shortest + 1)*_parts + 1;
    typedef {{c_data_type(lists['_list_starts_' ~ delayed].dtype)}} _Place;
    std::vector<_Place>& _starts = {{list('starts_' ~ delayed)}};
    _starts.assign({{n.sources}}*_places, 0);
    {% if needs_delays %}
    {{list('delays_' ~ delayed)}}.reserve(_synapses);
    {% endif %}
    for (int64_t _pre = 0; _pre < {{n.sources}}; _pre++)
    {
        _Place* _of_source = &_starts[_pre*_places];
        int64_t _first = _indptr[_pre];
        for (int64_t _run = _runs[_pre]; _run < _runs[_pre + 1]; _run++)
        {
            _Place* _of_run = _of_source + (_run_delay[_run] - _shortest)*_parts + 1;
            for (int64_t _part = 0, _end = _first + _run_length[_run]; _part < _parts; _part++)
            {
                int64_t _begin_part = _first, _end_part = _end;
                biosnn::within(_indices.data(), _bounds[_part], _bounds[_part + 1], {{n.targets}}, _begin_part, _end_part);
                _of_run[_part] = _end_part - _begin_part;
            }
            _first += _run_length[_run];
            {% if needs_delays %}
            {{list('delays_' ~ delayed)}}.insert({{list('delays_' ~ delayed)}}.end(), _run_length[_run], _run_delay[_run]);
            {% endif %}
        }
        for (int64_t _place = 1; _place < _places; _place++) _of_source[_place] += _of_source[_place - 1];
    }
    {{get_array_name(lists['_history_' ~ delayed], access_data=False)}}.assign((_longest + 1)*({{n.spikespace}} + 1), 0);
    {% for name in late %}
    {{get_array_name(lists[name], access_data=False)}}.assign((_longest + 1)*{{n.spikespace}}, 0);
    {% endfor %}
}
