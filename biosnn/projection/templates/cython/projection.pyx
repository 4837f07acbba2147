{% extends 'common_group.pyx' %}

{% block maincode %}
    cdef Py_ssize_t _entry
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _weights
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _sources
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _targets
    {% if delayed_traces %}
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _lates
    {% endif %}
    {% if gate and gate.carried %}
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _changes
    cdef _numpy.ndarray[int64_t, ndim=1, mode='c'] _spiking = _router.spiking()
    cdef _numpy.ndarray[double, ndim=1, mode='c'] _carried = _numpy.empty(_spiking.shape[0])
    {% endif %}
    _vectorisation_idx = 1
    {{(scalar_code['statements'] if once else scalar_code)|autoindent}}
    {% if gate and gate.carried %}
    {{scalar_code['once']|autoindent}}
    for _entry in range(_spiking.shape[0]):
        i = _spiking[_entry]
        _presynaptic_idx = i + {{n.source_start}}
        _vectorisation_idx = i
        {{vector_code['once']|autoindent}}
        _carried[_entry] = _taken_{{gate.carried}}
    for _weights, _sources, _targets, _changes in _router(_carried):
    {% else %}
    for _weights, _sources, _targets in _router():
    {% endif %}
        {% if delayed_traces %}
        _lates = _late.index(_weights, _sources + {{n.source_start}})
        {% endif %}
        for _entry in range(_weights.shape[0]):
            _idx = _weights[_entry]
            i = _sources[_entry]
            j = _targets[_entry]
            {% if gate and gate.carried %}
            change = _changes[_entry]
            {% endif %}
            _presynaptic_idx = i + {{n.source_start}}
            _postsynaptic_idx = j + {{n.target_start}}
            {% if delayed_traces %}
            _late_idx = _lates[_entry]
            {% endif %}
            _vectorisation_idx = _idx
            {{(vector_code['statements'] if once else vector_code)|autoindent}}
{% endblock %}
