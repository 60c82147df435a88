package acceptance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// authority is the certificate of a new authority, in PEM.
func authority(t *testing.T, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * 90 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestCAPool(t *testing.T) {
	t.Parallel()
	config := `resource "firn_ca_pool" "it" {
  cluster      = %q
  name         = %q
  certificates = [%s]
  mapping = {
    source = "subject"
    rules  = "RULE:^CN=([^,]+).*$/$1/,DEFAULT"
  }
}`
	cluster := firnOr("cluster")
	path := "/v1/clusters/" + cluster + "/ca-pools/"
	old, next := fmt.Sprintf("%q", authority(t, "old")), fmt.Sprintf("%q", authority(t, "next"))
	lifecycle{
		address:  "firn_ca_pool.it",
		created:  fmt.Sprintf(config, cluster, "devices", old),
		first:    attributes{"name": "devices", "certificates.#": "1", "mapping.source": "subject"},
		changed:  fmt.Sprintf(config, cluster, "all devices", next+", "+old),
		second:   attributes{"name": "all devices", "certificates.#": "2"},
		importID: func(now attributes) string { return cluster + "/" + now["id"] },
		path:     byID(path),
		// The service has an order of its own.
		notImported: []string{"certificates"},
		drift:       func(now attributes) { firn.change("PATCH", path+now["id"], map[string]any{"name": "somebody's"}) },
		action:      plancheck.ResourceActionUpdate,
	}.run(t)
}

// issuer is an identity provider on loopback: its metadata, and a key.
func issuer(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	part := func(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := map[string]any{"issuer": server.URL, "jwks_uri": server.URL + "/jwks"}
		if r.URL.Path == "/jwks" {
			answer = map[string]any{"keys": []any{map[string]any{
				"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one", "x": part(point[1:33]), "y": part(point[33:]),
			}}}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestIdentityProvider(t *testing.T) {
	t.Parallel()
	config := `resource "firn_identity_provider" "it" {
  cluster         = %q
  name            = "login"
  issuer          = %q
  audiences       = ["kafka"]
  principal_claim = %q
}`
	cluster, url := firnOr("cluster"), issuer(t)
	path := "/v1/clusters/" + cluster + "/identity-providers/"
	lifecycle{
		address:  "firn_identity_provider.it",
		created:  fmt.Sprintf(config, cluster, url, "sub"),
		first:    attributes{"principal_claim": "sub", "clock_skew_seconds": "30"},
		changed:  fmt.Sprintf(config, cluster, url, "client_id"),
		second:   attributes{"principal_claim": "client_id"},
		importID: func(now attributes) string { return cluster + "/" + now["id"] },
		path:     byID(path),
		drift: func(now attributes) {
			firn.change("PATCH", path+now["id"], map[string]any{"clock_skew_seconds": 5})
		},
		action: plancheck.ResourceActionUpdate,
	}.run(t)
}
