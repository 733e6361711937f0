#include "config.h"

#include "triage/charset_proof.h"

#include <iconv.h>
#include <string.h>

#include "base/mem.h"

const char *const charset_folders[] = {
	"/usr/lib/x86_64-linux-gnu/gconv",
	"/usr/lib/aarch64-linux-gnu/gconv",
	"/usr/lib/arm-linux-gnueabihf/gconv",
	"/usr/lib/powerpc64le-linux-gnu/gconv",
	"/usr/lib/s390x-linux-gnu/gconv",
	"/usr/lib/riscv64-linux-gnu/gconv",
	"/usr/lib64/gconv",
	"/usr/lib/gconv",
	NULL,
};

static const struct sample {
	const char *charset;
	const char *bytes;
	const char *utf8;
} samples[] = {
	{"ISO-8859-1", "caf\xe9", "café"},
	{"WINDOWS-1252", "5 \x80", "5 €"},
	{"ISO-8859-2", "\xb1\xe6", "ąć"},
	{"ISO-8859-15", "\xa4", "€"},
	{"WINDOWS-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
	{"KOI8-R", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
	{"WINDOWS-1256", "\xe3\xd1\xcd\xc8\xc7", "مرحبا"},
	{"GB18030", "\xc4\xe3\xba\xc3", "你好"},
	{"BIG5", "\xa7\x41\xa6\x6e", "你好"},
	{"ISO-2022-JP", "\x1b$B$3$s\x1b(B", "こん"},
	{"SHIFT_JIS", "\x82\xb1\x82\xf1", "こん"},
	{"EUC-KR", "\xbe\xc8\xb3\xe7", "안녕"},
};

static bool converts(const struct sample *sample)
{
	char in[32], out[64];
	char *from = in, *to = out;
	size_t left = strlen(sample->bytes), space = sizeof(out);
	iconv_t converter = iconv_open("UTF-8", sample->charset);
	bool ok;

	if (converter == (iconv_t)-1)
		return false;
	memcpy(in, sample->bytes, left);
	ok = iconv(converter, &from, &left, &to, &space) != (size_t)-1 &&
	     (size_t)(to - out) == strlen(sample->utf8) && memcmp(out, sample->utf8, (size_t)(to - out)) == 0;
	iconv_close(converter);
	return ok;
}

bool charset_proof(struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		if (!converts(&samples[i]))
			return err_set(err, ERR_SYSTEM,
				"text in %s cannot be converted to UTF-8: expected glibc's converters in the "
				"sandbox",
				samples[i].charset);
	return true;
}
