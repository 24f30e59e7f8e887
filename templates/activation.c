@ -- SPDX-License-Identifier: MIT-0
@ -- The activation as a function of a vector. NaN passes through each of them: max and min give their
@ -- second operand where either is NaN.
@ local a = layer.activation
@ local zero = isa.zero()
@ local function splat(text) return isa.splat(text) end
@ local function number_splat(x) return isa.splat(number(x)) end
@
@ -- exp(x) - 1 as s p + (s - 1): s = 2^n, p = exp(r) - 1 for |r| <= ln(2) / 2 (Taylor; its error is
@ -- below half a unit in the last place). Beyond +-87 the result no longer changes.
@ local function exp_parts(x)
    const $(V) x = $(x);
    const $(V) big = $(splat("12582912.0f")); /* 1.5 * 2^23: adding it rounds to an integer */
    const CONV_ROUNDED $(V) raised = $(isa.add(isa.mul("x", splat("1.44269504f")), "big"));
    const $(V) n = $(isa.sub("raised", "big"));
    const CONV_ROUNDED $(V) most = $(isa.sub("x", isa.mul("n", splat("0.693359375f"))));
    const $(V) r = $(isa.sub("most", isa.mul("n", splat("-2.12194440e-4f"))));
    $(V) q = $(splat("1.98412698e-4f"));
@   for _, c in ipairs({ "1.38888889e-3f", "8.33333333e-3f", "4.16666667e-2f", "1.66666667e-1f", "5.0e-1f" }) do
    q = $(isa.fma("q", "r", splat(c)));
@   end
    const $(V) p = $(isa.fma(isa.mul("q", "r"), "r", "r"));
    const $(V) s = $(isa.exp2i(splat("1.0f"), "n"));
@ end
@ local function limited(x, bound)
@   return isa.min(splat(bound), isa.max(splat("-" .. bound), x))
@ end
@ local one, half = splat("1.0f"), splat("0.5f")
@ if a.kind == "sigmoid" or a.kind == "silu" or a.kind == "tanh" then
/* Sums in which -ffast-math must not see through the rounding. */
#if defined(__FAST_MATH__)
#define CONV_ROUNDED volatile
#else
#define CONV_ROUNDED
#endif
@ end
static inline $(target)$(V) $(name)_$(a.kind)($(V) v)
{
@ if a.kind == "relu" then
    return $(isa.max(zero, "v"));
@ elseif a.kind == "clamp" then
    return $(isa.min(number_splat(a.b), isa.max(number_splat(a.a), "v")));
@ elseif a.kind == "leaky" then
    return $(isa.add(isa.max(zero, "v"), isa.mul(number_splat(a.a), isa.min(zero, "v"))));
@ elseif a.kind == "sigmoid" or a.kind == "silu" then
    /* 1 / (1 + exp(-v)) */
@   exp_parts(limited(isa.sub(zero, "v"), "87.0f"))
@   -- Towards -inf the product ends where the exponential does, and does not come back.
    return $(isa.div(a.kind == "silu" and isa.max(splat("-87.0f"), "v") or one, isa.add(one, isa.fma("s", "p", "s"))));
@ elseif a.kind == "tanh" then
    /* e / (e + 2) with e = exp(2 v) - 1, exact near 0 */
@   exp_parts(limited(isa.add("v", "v"), "18.5f"))
    const CONV_ROUNDED $(V) less = $(isa.sub("s", one));
    const $(V) e = $(isa.fma("s", "p", "less"));
    return $(isa.div("e", isa.add("e", splat("2.0f"))));
@ elseif a.kind == "hardswish" then
    /* v * clamp(v + 3, 0, 6) / 6; -inf would meet 0 */
    return $(isa.mul(isa.mul(isa.max(splat("-3.0f"), "v"), isa.min(splat("6.0f"), isa.max(zero, isa.add("v", splat("3.0f"))))), splat("0.166666667f")));
@ end
}
