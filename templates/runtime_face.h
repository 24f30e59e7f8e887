@ -- SPDX-License-Identifier: MIT-0
/* Fills in a shape from its sizes, the padding and the output's size included. 0, or what is wrong. */
enum conv_shape_error $(name)_shape(struct conv_shape *shape, int batch, int in_h, int in_w,
    int in_channels, int out_channels);

/* What the other functions need for a shape: bytes of packed weights; bytes of workspace for each
 * concurrent caller; how many tasks there are. */
size_t $(name)_packed_bytes(const struct conv_shape *shape);
size_t $(name)_workspace_bytes(const struct conv_shape *shape);
int $(name)_tasks(const struct conv_shape *shape);

/* Brings weights[$(weight_shape)] and bias[OC] into the order in which the kernel reads them. Call it
 * once; packed is aligned to $(name)_ALIGN, and only read afterwards. A NULL bias means zeros. */
void $(name)_pack(const struct conv_shape *shape, const float *weights, const float *bias, void *packed);

/* Computes the tasks [task_begin, task_end) of [0, $(name)_tasks(shape)). Any split among threads, in
 * any order, gives the same output. workspace is aligned to $(name)_ALIGN, needs no initialisation, and
 * may be NULL when its size is 0. input, weights, bias and output need only the alignment of a float.
 * output must not overlap the other arrays. Nothing outside the arrays is read or written. */
void $(name)_run(const struct conv_shape *shape, const float *input, const void *packed, float *output,
    void *workspace, int task_begin, int task_end);
