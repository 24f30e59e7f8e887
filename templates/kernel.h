@ -- SPDX-License-Identifier: MIT-0
$(banner)
/* $(signature)
 *
$(contract)
 */
#ifndef $(name)_H
#define $(name)_H

#define $(name)_INPUT_COUNT $(facts.input_count)
#define $(name)_WEIGHT_COUNT $(facts.weight_count)
#define $(name)_BIAS_COUNT $(facts.bias_count)
#define $(name)_OUTPUT_COUNT $(facts.output_count)
#define $(name)_TASKS $(plan.tasks)
#define $(name)_PACKED_BYTES $(facts.packed_bytes)
#define $(name)_WORKSPACE_BYTES $(facts.workspace_bytes)
#define $(name)_ALIGN $(facts.align)
#define $(name)_EXACT $(plan.exact and 1 or 0)
#define $(name)_ALGORITHM "$(plan.algorithm)"

#ifdef __cplusplus
extern "C" {
#endif

@ if not layer.pool then
/* Brings weights[$(weight_shape)] and bias[$(layer.OC)] into the order in which the kernel reads them.
 * Call it once; packed holds $(name)_PACKED_BYTES bytes, aligned to $(name)_ALIGN, and is only
 * read afterwards. A NULL bias means zeros. */
void $(name)_pack(const float *weights, const float *bias, void *packed);

@ end
/* Computes the tasks [task_begin, task_end) of [0, $(name)_TASKS). Any split among threads, in any
 * order, gives the same output. workspace holds $(name)_WORKSPACE_BYTES bytes for each concurrent
 * caller, aligned to $(name)_ALIGN; it needs no initialisation, and may be NULL when its size is 0.
@ if layer.pool then
 * packed may be NULL: there are no weights.
@ end
@ if layer.pool then
 * input and output need only the alignment of a float, and must not overlap. Nothing outside the arrays
 * is read or written. */
@ else
 * input, weights, bias and output need only the alignment of a float. output must not overlap the
 * other arrays. Nothing outside the arrays is read or written. */
@ end
void $(name)_run(const float *input, const void *packed, float *output, void *workspace,
    int task_begin, int task_end);

#ifdef __cplusplus
}
#endif

#endif
