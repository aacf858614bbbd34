/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS by GnuTLS: see tls.h. Output is corked, so that many small answers share few records. */
#include "fronts/nbd/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TLS_BATCH (256u << 10)		/* bytes that are encrypted before they are sent */
#define TLS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define TLS_PRIORITY_PSK TLS_PRIORITY ":-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK"

struct nbd_tls {
	gnutls_certificate_credentials_t certs;
	gnutls_psk_server_credentials_t psk;
	gnutls_priority_t priority;
	bool verify;
};

struct nbd_tls_conn {
	gnutls_session_t session;
	bool corked;			/* encrypted bytes were not sent yet */
	bool agreed;
};

static int tls_file(char *path, size_t room, const char *directory, const char *name, struct err *e)
{
	int n = snprintf(path, room, "%s/%s", directory, name);

	if (n < 0 || (size_t)n >= room)
		return err_set(e, -ENAMETOOLONG, "the path of the TLS directory is too long: '%s'", directory);
	if (access(path, R_OK))
		return err_set(e, -errno, "cannot read the TLS file '%s': %s", path, strerror(errno));
	return 0;
}

static int tls_load_certs(struct nbd_tls *t, const char *directory, struct err *e)
{
	char ca[4096], cert[4096], key[4096];
	int r;

	if ((r = tls_file(ca, sizeof(ca), directory, "ca-cert.pem", e)) ||
	    (r = tls_file(cert, sizeof(cert), directory, "server-cert.pem", e)) ||
	    (r = tls_file(key, sizeof(key), directory, "server-key.pem", e)))
		return r;
	if (gnutls_certificate_allocate_credentials(&t->certs))
		return err_set(e, -ENOMEM, "no memory for TLS keys");
	r = gnutls_certificate_set_x509_trust_file(t->certs, ca, GNUTLS_X509_FMT_PEM);
	if (r < 0)
		return err_set(e, -EINVAL, "cannot use the certificate authority '%s': %s", ca, gnutls_strerror(r));
	r = gnutls_certificate_set_x509_key_file(t->certs, cert, key, GNUTLS_X509_FMT_PEM);
	if (r < 0)
		return err_set(e, -EINVAL, "cannot use '%s' with '%s': %s", cert, key, gnutls_strerror(r));
	return 0;
}

static int tls_load_psk(struct nbd_tls *t, const char *file, struct err *e)
{
	int r;

	if (access(file, R_OK))
		return err_set(e, -errno, "cannot read the TLS key file '%s': %s", file, strerror(errno));
	if (gnutls_psk_allocate_server_credentials(&t->psk))
		return err_set(e, -ENOMEM, "no memory for TLS keys");
	r = gnutls_psk_set_server_credentials_file(t->psk, file);
	return r < 0 ? err_set(e, -EINVAL, "cannot use the TLS keys in '%s': %s", file, gnutls_strerror(r)) : 0;
}

int nbd_tls_new(struct nbd_tls **out, const char *certs, const char *psk, bool verify, struct err *e)
{
	struct nbd_tls *t;
	int r;

	if (certs && psk)
		return err_set(e, -EINVAL, "TLS with certificates and TLS with a key file are mutually exclusive");
	if (verify && !certs)
		return err_set(e, -EINVAL, "verifying client certificates requires server certificates");
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(e, -ENOMEM, "no memory for TLS keys");
	t->verify = verify;
	r = certs ? tls_load_certs(t, certs, e) : tls_load_psk(t, psk, e);
	if (!r && gnutls_priority_init(&t->priority, psk ? TLS_PRIORITY_PSK : TLS_PRIORITY, NULL))
		r = err_set(e, -EINVAL, "GnuTLS rejects the priorities '%s'", psk ? TLS_PRIORITY_PSK : TLS_PRIORITY);
	if (r) {
		nbd_tls_free(t);
		return r;
	}
	*out = t;
	return 0;
}

void nbd_tls_free(struct nbd_tls *t)
{
	if (!t)
		return;
	if (t->certs)
		gnutls_certificate_free_credentials(t->certs);
	if (t->psk)
		gnutls_psk_free_server_credentials(t->psk);
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	free(t);
}

static int tls_set_up(gnutls_session_t s, struct nbd_tls *t, int fd)
{
	int r = gnutls_priority_set(s, t->priority);

	if (!r && t->certs)
		r = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, t->certs);
	if (!r && t->psk)
		r = gnutls_credentials_set(s, GNUTLS_CRD_PSK, t->psk);
	if (t->verify) {
		gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
		gnutls_session_set_verify_cert(s, NULL, 0);
	}
	gnutls_transport_set_int(s, fd);
	return r;
}

int nbd_tls_begin(struct nbd_tls_conn **out, struct nbd_tls *t, int fd)
{
	struct nbd_tls_conn *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	if (gnutls_init(&s->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL)) {
		free(s);
		return -ENOMEM;
	}
	*out = s;
	return tls_set_up(s->session, t, fd) ? -EINVAL : 0;
}

void nbd_tls_end(struct nbd_tls_conn *s)
{
	if (s->agreed && !s->corked)
		gnutls_bye(s->session, GNUTLS_SHUT_WR);
	gnutls_deinit(s->session);
	free(s);
}

int nbd_tls_handshake(struct nbd_tls_conn *s, const char **why)
{
	int r;

	do
		r = gnutls_handshake(s->session);
	while (r < 0 && r != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(r));
	if (r == GNUTLS_E_AGAIN)
		return -EAGAIN;
	if (r < 0) {
		gnutls_alert_send_appropriate(s->session, r);
		*why = gnutls_strerror(r);
		return -EPROTO;
	}
	s->agreed = true;
	return 0;
}

bool nbd_tls_wants_write(const struct nbd_tls_conn *s)
{
	return gnutls_record_get_direction(s->session) == 1;
}

ssize_t nbd_tls_recv(struct nbd_tls_conn *s, void *buf, size_t len)
{
	ssize_t r;

	do
		r = gnutls_record_recv(s->session, buf, len);
	while (r < 0 && r != GNUTLS_E_AGAIN && r != GNUTLS_E_REHANDSHAKE && !gnutls_error_is_fatal((int)r));
	if (r >= 0)
		return r;
	if (r == GNUTLS_E_PREMATURE_TERMINATION)
		return 0;
	return r == GNUTLS_E_AGAIN ? -EAGAIN : -EPROTO;
}

bool nbd_tls_holds(const struct nbd_tls_conn *s)
{
	return gnutls_record_check_pending(s->session) > 0;
}

int nbd_tls_flush(struct nbd_tls_conn *s)
{
	int r;

	if (!s->corked)
		return 0;
	do
		r = gnutls_record_uncork(s->session, 0);
	while (r == GNUTLS_E_INTERRUPTED);
	if (r == GNUTLS_E_AGAIN)
		return -EAGAIN;
	s->corked = false;
	return r < 0 ? -EPROTO : 0;
}

ssize_t nbd_tls_send(struct nbd_tls_conn *s, const struct iovec *iov, unsigned n)
{
	size_t total = 0;
	unsigned i;

	gnutls_record_cork(s->session);
	s->corked = true;
	for (i = 0; i < n && total < TLS_BATCH; i++) {
		size_t left = TLS_BATCH - total, len = iov[i].iov_len < left ? iov[i].iov_len : left;
		ssize_t r = gnutls_record_send(s->session, iov[i].iov_base, len);

		if (r < 0)
			return -EPROTO;
		total += (size_t)r;
	}
	return (ssize_t)total;
}
