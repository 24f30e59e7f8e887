/* Checks a kernel with the data of a case of ONNX's backend tests: against the output that comes with
 * them, within ONNX's tolerance, and against the reference within ours.
 *
 * DATA/NAME.bin holds input, weights, bias and output, floats in NCHW and OIHW (see onnx.lua).
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONFORMANCE_ONNX_H
#define CONFORMANCE_ONNX_H

/* What ONNX's own test runner demands: |error| <= ATOL + RTOL |wanted|. */
#define ONNX_RTOL 1e-3
#define ONNX_ATOL 1e-7

static float *onnx_data; /* of the current kernel */

static const float *onnx_output(const struct conv_kernel *k)
{
    return onnx_data + k->input_count + k->weight_count + k->bias_count;
}

/* Reads the data of a kernel; 0 if they are not there, or not as many as the kernel wants. */
static int onnx_read(const struct conv_kernel *k)
{
    char path[1024];
    const size_t count = (size_t)(k->input_count + k->weight_count + k->bias_count + k->output_count);
    if (snprintf(path, sizeof path, "%s/%s.bin", DATA, k->name) >= (int)sizeof path)
        return 0;
    FILE *const file = fopen(path, "rb");
    if (!file)
        return 0;
    onnx_data = malloc((count + 1) * sizeof(float));
    const int good = onnx_data && fread(onnx_data, sizeof(float), count + 1, file) == count;
    fclose(file);
    return good;
}

static void onnx_fill(struct check *c)
{
    const struct conv_layer *const l = c->layer;
    const float *x = onnx_data;
    for (int n = 0; n < l->batch; n++)
        for (int i = 0; i < l->in_channels; i++)
            for (int h = 0; h < l->in_h; h++)
                for (int w = 0; w < l->in_w; w++)
                    c->input[reference_input_at(l, n, h, w, i)] = *x++;
    check_poison_unread(c);
    memcpy(c->weights, x, (size_t)c->kernel->weight_count * sizeof *x);
    memcpy(c->bias, x + c->kernel->weight_count, (size_t)c->kernel->bias_count * sizeof *x);
}

static int onnx_compare(struct check *c)
{
    const struct conv_layer *const l = c->layer;
    const float *wanted = onnx_output(c->kernel);
    for (int n = 0; n < l->batch; n++)
        for (int i = 0; i < l->out_channels; i++)
            for (int h = 0; h < l->out_h; h++)
                for (int w = 0; w < l->out_w; w++) {
                    const double want = (double)*wanted++;
                    const double got = (double)c->first[reference_output_at(l, n, h, w, i)];
                    const struct check_point p = { n, h, w, i };
                    if (!(fabs(got - want) <= ONNX_ATOL + ONNX_RTOL * fabs(want)))
                        return check_fail_at(c, p, got, want, "%s", "not what ONNX wants");
                }
    c->result.compared += (unsigned long long)c->kernel->output_count;
    return 1;
}

static int onnx_body(struct check *c)
{
    if (!onnx_read(c->kernel))
        return check_fail(c, "no data, or not as many as the layer has");
    return check_real_data(c, onnx_fill) && onnx_compare(c);
}

static struct check_result conformance_check(const struct conv_kernel *kernel, uint64_t seed)
{
    (void)check_kernel; /* whose data are our own */
    const struct check_result result = check_kernel_by(onnx_body, kernel, seed);
    free(onnx_data);
    onnx_data = NULL;
    return result;
}

#endif
