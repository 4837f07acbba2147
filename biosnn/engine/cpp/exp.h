// The exponential of a number of single precision, in line, so that it costs no call in loops of vector instructions:
// 2^(n + f), n whole and f at most a half; the polynomial for 2^f is that of Moshier's Cephes library (exp2f). Its
// relative error is that of rounding the number: 1e-7 for each unit of it.
static inline float _exp(float _x)
{
    const float _z = 1.44269504f*_x;
    // Where comparisons are false, the number is none, and stays so.
    const float _bounded = _z < -127.0f ? -127.0f : _z > 128.0f ? 128.0f : _z;
    const float _n = __builtin_rintf(_bounded), _f = _bounded - _n;
    const float _power = (((((1.535336188e-4f*_f + 1.339887440e-3f)*_f + 9.618437358e-3f)*_f + 5.550332471e-2f)*_f
        + 2.402264791e-1f)*_f + 6.931472029e-1f)*_f + 1.0f;
    const int32_t _bits = ((int32_t) _n + 127) << 23;
    float _scale;
    __builtin_memcpy(&_scale, &_bits, sizeof _scale);
    return _power*_scale;
}
template<typename T> static inline double _exp(T _x) { return exp((double) _x); }
