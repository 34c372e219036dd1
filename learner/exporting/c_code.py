"""The parts of the C header that are the same for every committee."""

PREAMBLE = """\
/* A committee of binary networks, exported by Engram. C99; needs <stdint.h> and <math.h>, allocates nothing.
 *
 * float features[ENGRAM_FEATURES], probabilities[ENGRAM_CLASSES];
 * engram_encode(input, features);                        of pictures and vectors only
 * int best = engram_predict(features, probabilities);    engram_classes[best] is its name
 *
 * Weights are bits, 1 for +1 and 0 for -1, each row of a layer packed from the lowest bit up. The memories are not part
 * of this file; of texts and tables neither is the encoder.
 */
#ifndef ENGRAM_COMMITTEE_H
#define ENGRAM_COMMITTEE_H

#include <math.h>
#include <stdint.h>

"""

STEPS_OF_A_MEMBER = """
static inline int32_t engram_quantised(float x)
{
    float scaled = x * ENGRAM_STEPS;
    if (scaled > ENGRAM_MOST)
        scaled = ENGRAM_MOST;
    if (scaled < -ENGRAM_MOST)
        scaled = -ENGRAM_MOST;
    return (int32_t)(scaled < 0.0f ? scaled - 0.5f : scaled + 0.5f);
}

static inline int engram_ones(uint8_t byte)
{
    unsigned bits = byte;
    bits = (bits & 0x55u) + ((bits >> 1) & 0x55u);
    bits = (bits & 0x33u) + ((bits >> 2) & 0x33u);
    return (int)((bits & 0x0fu) + (bits >> 4));
}

/* sums[h] = sum_d w[h][d] inputs[d] */
static inline void engram_sum_inputs(const int32_t *inputs, const uint8_t *rows, int outputs, engram_sum *sums)
{
    engram_sum all = 0;
    int d, h;
    for (d = 0; d < ENGRAM_INPUTS; d++)
        all += inputs[d];
    for (h = 0; h < outputs; h++, rows += (ENGRAM_INPUTS + 7) / 8) {
        engram_sum plus = 0;
        for (d = 0; d < ENGRAM_INPUTS; d++)
            if ((rows[d >> 3] >> (d & 7)) & 1)
                plus += inputs[d];
        sums[h] = plus - (all - plus);
    }
}

/* Gate h is open where |sums[h] - mean| > deviation: size c^2 > sum of c^2 with c = size sums[h] - sum. */
static inline void engram_open_gates(const engram_sum *sums, int size, uint8_t *gates)
{
    int64_t total = 0, most = 0, squares = 0;
    int h, shift = 0;
    for (h = 0; h < size; h++)
        total += sums[h];
    for (h = 0; h < size; h++) {
        int64_t apart = (int64_t)size * sums[h] - total;
        if (apart < 0)
            apart = -apart;
        if (apart > most)
            most = apart;
    }
    while ((most >> shift) >> ENGRAM_KEPT_BITS)
        shift++;
    for (h = 0; h < size; h++) {
        int64_t apart = (int64_t)size * sums[h] - total;
        apart = (apart < 0 ? -apart : apart) >> shift;
        squares += apart * apart;
    }
    for (h = 0; h < (size + 7) / 8; h++)
        gates[h] = 0;
    for (h = 0; h < size; h++) {
        int64_t apart = (int64_t)size * sums[h] - total;
        apart = (apart < 0 ? -apart : apart) >> shift;
        if (size * (apart * apart) > squares)
            gates[h >> 3] = (uint8_t)(gates[h >> 3] | (1 << (h & 7)));
    }
}

/* sums[h] = sum_d w[h][d] gates[d] */
static inline void engram_sum_gates(const uint8_t *gates, int bytes, const uint8_t *rows, int outputs, engram_sum *sums)
{
    engram_sum open = 0;
    int b, h;
    for (b = 0; b < bytes; b++)
        open += engram_ones(gates[b]);
    for (h = 0; h < outputs; h++, rows += bytes) {
        engram_sum both = 0;
        for (b = 0; b < bytes; b++)
            both += engram_ones((uint8_t)(gates[b] & rows[b]));
        sums[h] = 2 * both - open;
    }
}

static inline void engram_finish(const engram_sum *sums, float *logits)
{
    int c;
#if ENGRAM_NORMED
    float variance = 0.0f, deviation;
    int64_t total = 0;
    for (c = 0; c < ENGRAM_CLASSES; c++)
        total += sums[c];
    for (c = 0; c < ENGRAM_CLASSES; c++) {
        logits[c] = (float)((int64_t)ENGRAM_CLASSES * sums[c] - total) * (ENGRAM_UNIT / ENGRAM_CLASSES);
        variance += logits[c] * logits[c];
    }
    deviation = sqrtf(variance / ENGRAM_CLASSES + 1e-5f);
    for (c = 0; c < ENGRAM_CLASSES; c++)
        logits[c] /= deviation;
#else
    for (c = 0; c < ENGRAM_CLASSES; c++)
        logits[c] = (float)sums[c] * ENGRAM_SCALE;
#endif
}
"""

PREDICTION = """
/* Write each member's logits of one sample. */
static inline void engram_logits(const float *features, float logits[ENGRAM_MEMBERS][ENGRAM_CLASSES])
{
    int32_t inputs[ENGRAM_INPUTS];
    int d, member;
    inputs[ENGRAM_INPUTS - 1] = ENGRAM_CONSTANT;
    for (d = 0; d < ENGRAM_FEATURES; d++)
        inputs[d] = engram_quantised(features[d]);
    for (member = 0; member < ENGRAM_MEMBERS; member++)
        engram_member(inputs, member, logits[member]);
}

/* Write the members' mean probabilities of one sample; return the most probable class. */
static inline int engram_predict(const float *features, float probabilities[ENGRAM_CLASSES])
{
    float logits[ENGRAM_MEMBERS][ENGRAM_CLASSES];
    int best = 0, c, member;
    engram_logits(features, logits);
    for (c = 0; c < ENGRAM_CLASSES; c++)
        probabilities[c] = 0.0f;
    for (member = 0; member < ENGRAM_MEMBERS; member++) {
        float most = logits[member][0], total = 0.0f;
        for (c = 1; c < ENGRAM_CLASSES; c++)
            if (logits[member][c] > most)
                most = logits[member][c];
        for (c = 0; c < ENGRAM_CLASSES; c++) {
            logits[member][c] = expf(logits[member][c] - most);
            total += logits[member][c];
        }
        for (c = 0; c < ENGRAM_CLASSES; c++)
            probabilities[c] += logits[member][c] / (total * ENGRAM_MEMBERS);
    }
    for (c = 1; c < ENGRAM_CLASSES; c++)
        if (probabilities[c] > probabilities[best])
            best = c;
    return best;
}
"""

END = """
#endif
"""
