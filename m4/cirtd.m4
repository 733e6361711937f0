dnl CIRTD_WARNINGS: the warnings that the tree is clean of; --enable-werror makes them errors.
AC_DEFUN([CIRTD_WARNINGS], [
	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors])], [], [enable_werror=no])
	CIRTD_CFLAGS="-std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2"
	AS_IF([test "x$enable_werror" = xyes], [CIRTD_CFLAGS="$CIRTD_CFLAGS -Werror"])
	AC_SUBST([CIRTD_CFLAGS])
])

dnl CIRTD_HARDENING: on by default, as Debian and the Linux distributions build their daemons.
AC_DEFUN([CIRTD_HARDENING], [
	AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening], [no hardening flags])], [], [enable_hardening=yes])
	AS_IF([test "x$enable_hardening" = xyes], [
		HARDEN_CFLAGS="-fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE"
		HARDEN_LDFLAGS="-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -pie"
		AS_IF([test "x$with_sanitizer" = x || test "x$with_sanitizer" = xno],
			[HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
		AS_CASE([$CFLAGS], [*-O0*], [HARDEN_CPPFLAGS=])
	])
	AC_SUBST([HARDEN_CPPFLAGS])
	AC_SUBST([HARDEN_CFLAGS])
	AC_SUBST([HARDEN_LDFLAGS])
])

dnl CIRTD_SANITIZER: --with-sanitizer=address,undefined
AC_DEFUN([CIRTD_SANITIZER], [
	AC_ARG_WITH([sanitizer], [AS_HELP_STRING([--with-sanitizer=LIST], [build with -fsanitize=LIST, such as address,undefined])],
		[], [with_sanitizer=no])
	AS_IF([test "x$with_sanitizer" != xno], [
		SANITIZER_FLAGS="-fsanitize=$with_sanitizer -fno-omit-frame-pointer -fno-sanitize-recover=all"
		AC_DEFINE([WITH_SANITIZER], [1], [Sanitizers need calls that the sandbox else refuses])])
	AC_SUBST([SANITIZER_FLAGS])
])

dnl CIRTD_FUZZING: --enable-fuzzing builds tests/fuzz with libFuzzer (clang); else they replay their corpus.
AC_DEFUN([CIRTD_FUZZING], [
	AC_ARG_ENABLE([fuzzing], [AS_HELP_STRING([--enable-fuzzing], [link the fuzz targets with libFuzzer; needs CC=clang])],
		[], [enable_fuzzing=no])
	AS_IF([test "x$enable_fuzzing" = xyes], [
		AS_CASE([$CC], [*clang*], [], [AC_MSG_ERROR([--enable-fuzzing needs clang: ./configure CC=clang-14 --enable-fuzzing])])
		FUZZ_COMPILE="-fsanitize=fuzzer-no-link"
		FUZZ_LINK="-fsanitize=fuzzer"
		AC_DEFINE([WITH_FUZZING], [1], [libFuzzer brings main()])])
	AC_SUBST([FUZZ_COMPILE])
	AC_SUBST([FUZZ_LINK])
	AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
])

dnl CIRTD_PLUGIN(NAME, UPPER): --with-NAME=yes|shared|no, conditionals UPPER_BUILTIN and UPPER_SHARED, PLUGIN_UPPER_BUILTIN.
AC_DEFUN([CIRTD_PLUGIN], [
	AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1=yes|shared|no], [the $1 plugin: built in (default), as a module, or not at all])],
		[], [with_$1=yes])
	AS_CASE([$with_$1], [yes|shared|no], [], [AC_MSG_ERROR([--with-$1: expected yes, shared or no])])
	AS_IF([test "x$with_$1" = xyes], [AC_DEFINE([PLUGIN_$2_BUILTIN], [1], [$1 is built in])])
	AM_CONDITIONAL([$2_BUILTIN], [test "x$with_$1" = xyes])
	AM_CONDITIONAL([$2_SHARED], [test "x$with_$1" = xshared])
])
