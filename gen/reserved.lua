-- Words that must not name a kernel, with the reason.
-- SPDX-License-Identifier: MIT-0

local reserved = {}

local function add(reason, words)
  for word in words:gmatch("%S+") do reserved[word] = reserved[word] or reason end
end

add("is a C keyword", [[
  auto break case char const continue default do double else enum extern float for goto if
  inline int long register restrict return short signed sizeof static struct switch typedef
  union unsigned void volatile while asm typeof typeof_unqual fortran
]])

add("is a C++ keyword", [[
  alignas alignof and and_eq atomic_cancel atomic_commit atomic_noexcept bitand bitor bool catch
  char8_t char16_t char32_t class co_await co_return co_yield compl concept consteval constexpr
  constinit const_cast decltype delete dynamic_cast explicit export false friend mutable
  namespace new noexcept not not_eq nullptr operator or or_eq private protected public reflexpr
  reinterpret_cast requires static_assert static_cast synchronized template this thread_local
  throw true try typeid typename using virtual wchar_t xor xor_eq
]])

add("is a name of the C library", [[
  main errno assert NULL EOF FILE BUFSIZ INFINITY NAN HUGE_VAL HUGE_VALF HUGE_VALL acos asin
  atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 frexp ilogb ldexp log
  log10 log1p log2 logb modf scalbn scalbln cbrt fabs hypot pow sqrt erf erfc lgamma tgamma ceil
  floor nearbyint rint lrint llrint round lround llround trunc fmod remainder remquo copysign
  nan nextafter nexttoward fdim fmax fmin fma fpclassify isfinite isinf isnan isnormal signbit
  isgreater isgreaterequal isless islessequal islessgreater isunordered acosf asinf atanf atan2f
  cosf sinf tanf acoshf asinhf atanhf coshf sinhf tanhf expf exp2f expm1f frexpf ilogbf ldexpf
  logf log10f log1pf log2f logbf modff scalbnf scalblnf cbrtf fabsf hypotf powf sqrtf erff erfcf
  lgammaf tgammaf ceilf floorf nearbyintf rintf lrintf llrintf roundf lroundf llroundf truncf
  fmodf remainderf remquof copysignf nanf nextafterf nexttowardf fdimf fmaxf fminf fmaf acosl
  asinl atanl atan2l cosl sinl tanl acoshl asinhl atanhl coshl sinhl tanhl expl exp2l expm1l
  frexpl ilogbl ldexpl logl log10l log1pl log2l logbl modfl scalbnl scalblnl cbrtl fabsl hypotl
  powl sqrtl erfl erfcl lgammal tgammal ceill floorl nearbyintl rintl lrintl llrintl roundl
  lroundl llroundl truncl fmodl remainderl remquol copysignl nanl nextafterl nexttowardl fdiml
  fmaxl fminl fmal j0 j1 jn y0 y1 yn gamma cacos casin catan ccos csin ctan cacosh casinh catanh
  ccosh csinh ctanh cexp clog cabs cpow csqrt carg cimag conj cproj creal complex imaginary
  isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper
  isxdigit tolower toupper feclearexcept fegetexceptflag feraiseexcept fesetexceptflag
  fetestexcept fegetround fesetround fegetenv feholdexcept fesetenv feupdateenv imaxabs imaxdiv
  strtoimax strtoumax wcstoimax wcstoumax setlocale localeconv setjmp longjmp signal raise
  va_arg va_copy va_end va_start va_list offsetof atomic_init atomic_load atomic_store
  atomic_exchange atomic_thread_fence remove rename tmpfile tmpnam fclose fflush fopen freopen
  setbuf setvbuf fprintf fscanf printf scanf snprintf sprintf sscanf vfprintf vfscanf vprintf
  vscanf vsnprintf vsprintf vsscanf fgetc fgets fputc fputs getc getchar gets putc putchar puts
  ungetc fread fwrite fgetpos fseek fsetpos ftell rewind clearerr feof ferror perror stdin
  stdout stderr atof atoi atol atoll strtod strtof strtold strtol strtoll strtoul strtoull rand
  srand aligned_alloc calloc free malloc realloc abort atexit at_quick_exit exit getenv
  quick_exit system bsearch qsort abs labs llabs div ldiv lldiv mblen mbtowc wctomb mbstowcs
  wcstombs memcpy memmove strcpy strncpy strcat strncat memcmp strcmp strcoll strncmp strxfrm
  memchr strchr strcspn strpbrk strrchr strspn strstr strtok memset strerror strlen call_once
  cnd_broadcast cnd_destroy cnd_init cnd_signal cnd_timedwait cnd_wait mtx_destroy mtx_init
  mtx_lock mtx_timedlock mtx_trylock mtx_unlock thrd_create thrd_current thrd_detach thrd_equal
  thrd_exit thrd_join thrd_sleep thrd_yield tss_create tss_delete tss_get tss_set clock difftime
  mktime time timespec_get asctime ctime gmtime localtime strftime mbrtoc16 c16rtomb mbrtoc32
  c32rtomb fwprintf fwscanf swprintf swscanf vfwprintf vfwscanf vswprintf vswscanf vwprintf
  vwscanf wprintf wscanf fgetwc fgetws fputwc fputws fwide getwc getwchar putwc putwchar ungetwc
  wcstod wcstof wcstold wcstol wcstoll wcstoul wcstoull wcscpy wcsncpy wmemcpy wmemmove wcscat
  wcsncat wcscmp wcscoll wcsncmp wcsxfrm wmemcmp wcschr wcscspn wcspbrk wcsrchr wcsspn wcsstr
  wcstok wmemchr wcslen wmemset wcsftime btowc wctob mbsinit mbrlen mbrtowc wcrtomb mbsrtowcs
  wcsrtombs iswalnum iswalpha iswblank iswcntrl iswdigit iswgraph iswlower iswprint iswpunct
  iswspace iswupper iswxdigit iswctype wctype towlower towupper towctrans wctrans size_t
  ptrdiff_t max_align_t intptr_t uintptr_t intmax_t uintmax_t int8_t int16_t int32_t int64_t
  uint8_t uint16_t uint32_t uint64_t time_t clock_t wint_t mbstate_t fpos_t jmp_buf sig_atomic_t
  read write open close link unlink pipe fork select socket bind connect listen accept send recv
  index bcopy bzero sleep kill wait dup access chdir stat
]])

-- With -I on the output directory, NAME.h would stand before the system's header.
add("is the name of a system header", [[
  ctype fenv float inttypes iso646 limits locale math stdalign stdarg stdatomic stdbool stddef
  stdint stdio stdlib stdnoreturn string strings tgmath threads uchar wchar unistd fcntl memory
  malloc immintrin emmintrin xmmintrin smmintrin nmmintrin x86intrin arm_neon arm_sve
  riscv_vector
]])

-- Windows cannot make NAME.c.
add("is a device name on Windows", [[
  con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6
  lpt7 lpt8 lpt9
]])

return reserved
