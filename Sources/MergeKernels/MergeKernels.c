#include "MergeKernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// A fused multiply-add, where the processor has one, would round otherwise than where it has none.
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

INLINE float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

INLINE uint32_t bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

INLINE uint64_t bits_of_double(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

INLINE size_t stored_width(int stored) {
  switch (stored) {
  case VMStoredFloat64:
  case VMStoredInt64: return 8;
  case VMStoredFloat32:
  case VMStoredInt32: return 4;
  case VMStoredFloat16:
  case VMStoredBFloat16:
  case VMStoredInt16: return 2;
  default: return 1;
  }
}

/// bfloat16 is float32's upper half. Rounded to nearest, ties to even; NaN stays NaN.
INLINE uint16_t bfloat_of_float(float x) {
  uint32_t bits = bits_of_float(x);
  uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  return (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >> 16 | 0x40 : rounded);
}

/// IEEE binary16: 5 bits of exponent, 10 of fraction.
INLINE float float_of_half(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7FFF;
  // The exponent's bias grows by 112; a multiplication by 2^112 brings subnormal numbers into place too.
  float scaled = float_of_bits(rest << 13) * 0x1p112f;
  uint32_t bits = rest >= 0x7C00 ? 0x7F800000 | (rest & 0x3FF) << 13 : bits_of_float(scaled);
  return float_of_bits(sign | bits);
}

INLINE uint16_t half_of_float(float x) {
  uint32_t bits = bits_of_float(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7FFFFFFF;
  // Normal results: move the bias and round to nearest even; the carry may reach infinity, as it should.
  uint32_t normal = (rest - (112u << 23) + 0xFFF + (rest >> 13 & 1)) >> 13;
  // Subnormal results: adding 0.5 lets the addition round at the last bit there is.
  uint32_t small = bits_of_float(float_of_bits(rest) + 0.5f) - 0x3F000000;
  uint32_t large = rest > 0x7F800000 ? 0x7E00 : 0x7C00;
  return (uint16_t)(sign | (rest >= 0x47800000 ? large : rest < 0x38800000 ? small : normal));
}

/// A float32 that rounds on as the double itself would: inexact results end in a 1, so that rounding twice makes no tie.
INLINE float float_to_odd(double x) {
  float near = (float)x;
  uint32_t bits = bits_of_float(near);
  if ((double)near == x || isnan(x) || isinf(x)) return near;
  if (bits & 1) return near;
  // An even neighbour: step to the odd one on the other side of x.
  bool isAway = fabs((double)near) > fabs(x);
  return float_of_bits(isAway ? bits - 1 : bits + 1);
}

// Random words by a hash of the index (the mixing steps of Chris Wellons' lowbias32), into which the key goes twice.

INLINE uint64_t mixed_key(uint64_t key, uint32_t upper) { return key ^ (uint64_t)upper * 0x9E3779B97F4A7C15u; }

INLINE uint32_t random_word(uint64_t key, uint32_t index) {
  uint32_t x = index + (uint32_t)key;
  x ^= x >> 16;
  x *= 0x21F0AAAD;
  x ^= x >> 15;
  x ^= (uint32_t)(key >> 32);
  x *= 0x735A2D97;
  x ^= x >> 15;
  x *= 0x9E3779B1;
  return x ^ x >> 16;
}

// Sets a bit for each element that its random word keeps whatever its rank, and one for each whose rank decides. `limits`
// has the upper halves of a bucket's two limits.
INLINE void decide(
  const uint16_t *places, const uint32_t *limits, uint64_t mixed, uint32_t index, uint8_t *kept, uint8_t *open,
  size_t count) {
  for (size_t i = 0; i < count; i += 8) {
    unsigned keeps = 0, opens = 0;
    for (size_t j = 0; j < 8 && i + j < count; j++) {
      uint32_t upper = random_word(mixed, index + (uint32_t)(i + j)) >> 16, limit = limits[places[i + j] / 2];
      unsigned keep = upper < limit >> 16, may = upper <= (limit & 0xFFFF);
      keeps |= keep << j;
      opens |= (may & ~keep) << j;
    }
    kept[i / 8] = (uint8_t)keeps;
    open[i / 8] = (uint8_t)opens;
  }
}

// The positions of the bits that are 1, and how many there are. Two of a word at once are mostly all it has, so that there
// is hardly a jump to predict; `ats` needs room for two more.
INLINE size_t list_bits(const uint64_t *words, size_t count, uint32_t *ats) {
  size_t found = 0;
  for (size_t word = 0; word < count; word++) {
    uint64_t bits = words[word];
    const size_t here = (size_t)__builtin_popcountll(bits);
    for (size_t n = 0; n < here || n < 2; n += 2) {
      for (size_t m = 0; m < 2; m++, bits &= bits - 1)
        ats[found + n + m] = (uint32_t)(64 * word) + (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
    }
    found += here;
  }
  return found;
}

// Sets those of the bits from `offset` on that are 1 in `source`.
INLINE void put_bits(uint8_t *bits, size_t offset, const uint64_t *source, size_t count) {
  const size_t shift = offset % 8, bytes = (count + 7) / 8;
  const uint8_t *next = (const uint8_t *)source;
  bits += offset / 8;
  if (shift == 0) {
    for (size_t i = 0; i < bytes; i++) bits[i] |= next[i];
    return;
  }
  for (size_t i = 0; i < bytes; i++) {
    const unsigned both = (unsigned)next[i] << shift;
    bits[i] |= (uint8_t)both;
    if (both >> 8 != 0) bits[i + 1] |= (uint8_t)(both >> 8);
  }
}

#define SET plain
#define DECIDE decide
#include "Working.inc"
#undef SET

#if defined(__x86_64__)
#define SET avx2
#pragma clang attribute push(__attribute__((target("avx2,bmi2,prefer-256-bit"))), apply_to = function)
#include "Working.inc"
#pragma clang attribute pop
#undef SET

#define SET avx512
#pragma clang attribute push( \
  __attribute__((target("avx2,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512cd"))), apply_to = function)
// The compiler makes no use of the compressing store and of masks as bits by itself.
#define HAS_MASKS
#undef DECIDE
#define DECIDE decide_avx512
// Whole groups of sixteen only.
static void findPlacesWide_f32_avx512(
  const float *y, uint32_t floor, int shift, uint16_t *restrict places, size_t count) {
  const __m512i sign = _mm512_set1_epi32(0x7FFFFFFF), least = _mm512_set1_epi32((int)floor), one = _mm512_set1_epi32(1);
  const __m512i rest = _mm512_set1_epi32((1 << shift) - 1);
  for (size_t i = 0; i + 16 <= count; i += 16) {
    __m512i keys = _mm512_and_si512(_mm512_loadu_si512(y + i), sign);
    // Those not above the floor are 0 or between.
    __mmask16 larger = _mm512_cmpgt_epu32_mask(keys, least);
    __m512i above = _mm512_mask_sub_epi32(_mm512_min_epu32(keys, one), larger, keys, least);
    __m512i upper = _mm512_srli_epi32(above, (unsigned)shift), next = _mm512_add_epi32(above, rest);
    __m512i found = _mm512_add_epi32(upper, _mm512_srli_epi32(next, (unsigned)shift));
    _mm256_storeu_si256((__m256i *)(places + i), _mm512_cvtepi32_epi16(found));
  }
}
static void findPlacesWide_f64_avx512(
  const double *y, uint64_t floor, int shift, uint16_t *restrict places, size_t count) {
  const __m512i sign = _mm512_set1_epi64(0x7FFFFFFFFFFFFFFF), one = _mm512_set1_epi64(1);
  const __m512i least = _mm512_set1_epi64((long long)floor);
  const __m512i rest = _mm512_set1_epi64((1ll << shift) - 1);
  for (size_t i = 0; i < count / 16 * 16; i += 8) {
    __m512i keys = _mm512_and_si512(_mm512_loadu_si512(y + i), sign);
    __mmask8 larger = _mm512_cmpgt_epu64_mask(keys, least);
    __m512i above = _mm512_mask_sub_epi64(_mm512_min_epu64(keys, one), larger, keys, least);
    __m512i upper = _mm512_srli_epi64(above, (unsigned)shift), next = _mm512_add_epi64(above, rest);
    __m512i found = _mm512_add_epi64(upper, _mm512_srli_epi64(next, (unsigned)shift));
    _mm_storeu_si128((__m128i *)(places + i), _mm512_cvtepi64_epi16(found));
  }
}
static void decide_avx512(
  const uint16_t *places, const uint32_t *limits, uint64_t mixed, uint32_t index, uint8_t *kept, uint8_t *open,
  size_t count) {
  const __m512i step = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i low = _mm512_set1_epi32(0xFFFF), upperKey = _mm512_set1_epi32((int)(mixed >> 32));
  const size_t whole = count / 16 * 16;
  for (size_t i = 0; i < whole; i += 16) {
    // `random_word`, sixteen at a time.
    __m512i x = _mm512_add_epi32(_mm512_set1_epi32((int)(index + (uint32_t)i + (uint32_t)mixed)), step);
    x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 16));
    x = _mm512_mullo_epi32(x, _mm512_set1_epi32(0x21F0AAAD));
    x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 15));
    x = _mm512_xor_si512(x, upperKey);
    x = _mm512_mullo_epi32(x, _mm512_set1_epi32(0x735A2D97));
    x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 15));
    x = _mm512_mullo_epi32(x, _mm512_set1_epi32((int)0x9E3779B1));
    __m512i upper = _mm512_srli_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(x, 16)), 16);
    __m512i buckets = _mm512_cvtepu16_epi32(_mm256_srli_epi16(_mm256_loadu_si256((const __m256i *)(places + i)), 1));
    __m512i limit = _mm512_i32gather_epi32(buckets, limits, 4);
    __mmask16 keep = _mm512_cmplt_epu32_mask(upper, _mm512_srli_epi32(limit, 16));
    __mmask16 may = _mm512_cmple_epu32_mask(upper, _mm512_and_si512(limit, low)) & (__mmask16)~keep;
    memcpy(kept + i / 8, &keep, 2);
    memcpy(open + i / 8, &may, 2);
  }
  decide(places + whole, limits, mixed, index + (uint32_t)whole, kept + whole / 8, open + whole / 8, count - whole);
}
// Whole groups of sixteen only.
static void keepWide_f32_avx512(float *y, const uint8_t *bits, float scale, size_t count) {
  const __m512 factor = _mm512_set1_ps(scale);
  for (size_t i = 0; i + 16 <= count; i += 16) {
    __mmask16 mask;
    memcpy(&mask, bits + i / 8, 2);
    _mm512_storeu_ps(y + i, _mm512_maskz_mul_ps(mask, _mm512_loadu_ps(y + i), factor));
  }
}
static void keepWide_f64_avx512(double *y, const uint8_t *bits, double scale, size_t count) {
  const __m512d factor = _mm512_set1_pd(scale);
  for (size_t i = 0; i < count / 16 * 16; i += 8)
    _mm512_storeu_pd(y + i, _mm512_maskz_mul_pd(bits[i / 8], _mm512_loadu_pd(y + i), factor));
}
// Whole groups of sixteen only.
static void noteWide_f32_avx512(const float *x, uint8_t *bits, size_t count) {
  for (size_t i = 0; i + 16 <= count; i += 16) {
    __mmask16 mask = _mm512_cmp_ps_mask(_mm512_loadu_ps(x + i), _mm512_setzero_ps(), _CMP_NEQ_UQ);
    memcpy(bits + i / 8, &mask, 2);
  }
}
static void noteWide_f64_avx512(const double *x, uint8_t *bits, size_t count) {
  for (size_t i = 0; i < count / 16 * 16; i += 8)
    bits[i / 8] = (uint8_t)_mm512_cmp_pd_mask(_mm512_loadu_pd(x + i), _mm512_setzero_pd(), _CMP_NEQ_UQ);
}
static size_t append_f32_avx512(const float *x, uint32_t low, uint32_t high, uint32_t *restrict inside, size_t count) {
  const __m512i sign = _mm512_set1_epi32(0x7FFFFFFF);
  const __m512i from = _mm512_set1_epi32((int)low), to = _mm512_set1_epi32((int)high);
  size_t found = 0;
  for (size_t i = 0; i < count; i += 16) {
    __mmask16 there = count - i < 16 ? (__mmask16)((1u << (count - i)) - 1) : (__mmask16)0xFFFF;
    __m512i keys = _mm512_and_si512(_mm512_maskz_loadu_epi32(there, x + i), sign);
    __mmask16 between = _mm512_mask_cmpgt_epu32_mask(there, keys, from) & _mm512_cmplt_epu32_mask(keys, to);
    _mm512_mask_compressstoreu_epi32(inside + found, between, keys);
    found += (size_t)__builtin_popcount(between);
  }
  return found;
}
static size_t append_f64_avx512(const double *x, uint64_t low, uint64_t high, uint64_t *restrict inside, size_t count) {
  const __m512i sign = _mm512_set1_epi64(0x7FFFFFFFFFFFFFFF);
  const __m512i from = _mm512_set1_epi64((long long)low), to = _mm512_set1_epi64((long long)high);
  size_t found = 0;
  for (size_t i = 0; i < count; i += 8) {
    __mmask8 there = count - i < 8 ? (__mmask8)((1u << (count - i)) - 1) : (__mmask8)0xFF;
    __m512i keys = _mm512_and_si512(_mm512_maskz_loadu_epi64(there, x + i), sign);
    __mmask8 between = _mm512_mask_cmpgt_epu64_mask(there, keys, from) & _mm512_cmplt_epu64_mask(keys, to);
    _mm512_mask_compressstoreu_epi64(inside + found, between, keys);
    found += (size_t)__builtin_popcount(between);
  }
  return found;
}
// In the order of the plain loop's sixteen sums; whole groups of sixteen only.
static void absoluteSumsWide_f32_avx512(
  const float *x, const uint8_t *bits, double *whole, double *part, size_t count) {
  __m512d all[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()}, noted[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()};
  for (size_t i = 0; i < count; i += 16) {
    for (int half = 0; half < 2; half++) {
      __m512d magnitudes = _mm512_abs_pd(_mm512_cvtps_pd(_mm256_loadu_ps(x + i + 8 * half)));
      all[half] = _mm512_add_pd(all[half], magnitudes);
      noted[half] = _mm512_mask_add_pd(noted[half], bits[i / 8 + half], noted[half], magnitudes);
    }
  }
  for (int half = 0; half < 2; half++) {
    _mm512_storeu_pd(whole + 8 * half, all[half]);
    _mm512_storeu_pd(part + 8 * half, noted[half]);
  }
}
static void absoluteSumsWide_f64_avx512(
  const double *x, const uint8_t *bits, double *whole, double *part, size_t count) {
  __m512d all[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()}, noted[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()};
  for (size_t i = 0; i < count; i += 16) {
    for (int half = 0; half < 2; half++) {
      __m512d magnitudes = _mm512_abs_pd(_mm512_loadu_pd(x + i + 8 * half));
      all[half] = _mm512_add_pd(all[half], magnitudes);
      noted[half] = _mm512_mask_add_pd(noted[half], bits[i / 8 + half], noted[half], magnitudes);
    }
  }
  for (int half = 0; half < 2; half++) {
    _mm512_storeu_pd(whole + 8 * half, all[half]);
    _mm512_storeu_pd(part + 8 * half, noted[half]);
  }
}
// The same of squares.
static void squaresNotedWide_f32_avx512(const float *x, const uint8_t *bits, double *sums, size_t count) {
  __m512d noted[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()};
  for (size_t i = 0; i < count; i += 16) {
    for (int half = 0; half < 2; half++) {
      __m512d wide = _mm512_cvtps_pd(_mm256_loadu_ps(x + i + 8 * half));
      noted[half] = _mm512_mask_add_pd(noted[half], bits[i / 8 + half], noted[half], _mm512_mul_pd(wide, wide));
    }
  }
  for (int half = 0; half < 2; half++) _mm512_storeu_pd(sums + 8 * half, noted[half]);
}
static void squaresNotedWide_f64_avx512(const double *x, const uint8_t *bits, double *sums, size_t count) {
  __m512d noted[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()};
  for (size_t i = 0; i < count; i += 16) {
    for (int half = 0; half < 2; half++) {
      __m512d wide = _mm512_loadu_pd(x + i + 8 * half);
      noted[half] = _mm512_mask_add_pd(noted[half], bits[i / 8 + half], noted[half], _mm512_mul_pd(wide, wide));
    }
  }
  for (int half = 0; half < 2; half++) _mm512_storeu_pd(sums + 8 * half, noted[half]);
}
// Whole groups of sixteen only.
static size_t splitWide_f32_avx512(
  const float *x, uint32_t low, uint32_t high, VMBracket *bracket, uint8_t *above, uint32_t *open, uint32_t first,
  size_t count) {
  const __m512i sign = _mm512_set1_epi32(0x7FFFFFFF), none = _mm512_setzero_si512();
  const __m512i from = _mm512_set1_epi32((int)low), to = _mm512_set1_epi32((int)high);
  const __m512i step = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  size_t found = 0, below = 0, zero = 0;
  for (size_t i = 0; i + 16 <= count; i += 16) {
    __m512i keys = _mm512_and_si512(_mm512_loadu_si512(x + i), sign);
    __mmask16 larger = _mm512_cmpgt_epu32_mask(keys, to), smaller = _mm512_cmplt_epu32_mask(keys, from);
    __mmask16 rest = (__mmask16)~(larger | smaller);
    memcpy(above + i / 8, &larger, 2);
    __m512i places = _mm512_add_epi32(_mm512_set1_epi32((int)(first + (uint32_t)i)), step);
    // Sixteen are written whatever is found: there is room for as many as there are elements.
    _mm512_storeu_si512(open + found, _mm512_maskz_compress_epi32(rest, places));
    found += (size_t)__builtin_popcount(rest);
    below += (size_t)__builtin_popcount(smaller);
    zero += (size_t)__builtin_popcount(_mm512_cmpeq_epu32_mask(keys, none));
  }
  bracket->below += below;
  bracket->zero += zero;
  return found;
}
static size_t splitWide_f64_avx512(
  const double *x, uint64_t low, uint64_t high, VMBracket *bracket, uint8_t *above, uint32_t *open, uint32_t first,
  size_t count) {
  const __m512i sign = _mm512_set1_epi64(0x7FFFFFFFFFFFFFFF), none = _mm512_setzero_si512();
  const __m512i from = _mm512_set1_epi64((long long)low), to = _mm512_set1_epi64((long long)high);
  const __m256i step = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  size_t found = 0, below = 0, zero = 0;
  for (size_t i = 0; i < count / 16 * 16; i += 8) {
    __m512i keys = _mm512_and_si512(_mm512_loadu_si512(x + i), sign);
    __mmask8 larger = _mm512_cmpgt_epu64_mask(keys, to), smaller = _mm512_cmplt_epu64_mask(keys, from);
    __mmask8 rest = (__mmask8)~(larger | smaller);
    above[i / 8] = larger;
    __m256i places = _mm256_add_epi32(_mm256_set1_epi32((int)(first + (uint32_t)i)), step);
    _mm256_storeu_si256((__m256i *)(open + found), _mm256_maskz_compress_epi32(rest, places));
    found += (size_t)__builtin_popcount(rest);
    below += (size_t)__builtin_popcount(smaller);
    zero += (size_t)__builtin_popcount(_mm512_cmpeq_epu64_mask(keys, none));
  }
  bracket->below += below;
  bracket->zero += zero;
  return found;
}
#include "Working.inc"
#undef HAS_MASKS
#undef DECIDE
#pragma clang attribute pop
#undef SET
#endif

const VMKernels *vm_kernels(bool wide, int set) {
  switch (set) {
  case 0: return wide ? &kernels_f64_plain : &kernels_f32_plain;
#if defined(__x86_64__)
  case 1:
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) return NULL;
    return wide ? &kernels_f64_avx2 : &kernels_f32_avx2;
  case 2:
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw")
        || !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")
        || !__builtin_cpu_supports("avx512cd"))
      return NULL;
    return wide ? &kernels_f64_avx512 : &kernels_f32_avx512;
#endif
  default: return NULL;
  }
}

INLINE uint64_t mixed_word(uint64_t word, uint64_t place) {
  uint64_t mixed = (word + 0x9E3779B97F4A7C15u) * (2 * place + 0xBF58476D1CE4E5B9u);
  return mixed ^ mixed >> 29;
}

uint64_t vm_checksum(const void *bytes, size_t count, uint64_t position) {
  const unsigned char *next = bytes;
  uint64_t sum = 0, place = position / 8;
  size_t whole = count / 8 * 8;
  for (size_t i = 0; i < whole; i += 8, place++) {
    uint64_t word;
    memcpy(&word, next + i, 8);
    sum += mixed_word(word, place);
  }
  if (whole < count) {
    uint64_t word = 0;
    memcpy(&word, next + whole, count - whole);
    sum += mixed_word(word, place);
  }
  return sum;
}
