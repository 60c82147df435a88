package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// security says how to connect, as the FIRN_TEST_* variables want it (tests/clients/README.md).
func security() ([]kgo.Opt, error) {
	var opts []kgo.Opt
	protocol := strings.ToUpper(os.Getenv("FIRN_TEST_SECURITY"))
	if strings.HasSuffix(protocol, "SSL") {
		config, err := trusting(os.Getenv("FIRN_TEST_CA_FILE"))
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	if strings.HasPrefix(protocol, "SASL") {
		mechanism, err := mechanism(os.Getenv("FIRN_TEST_MECHANISM"))
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

func trusting(path string) (*tls.Config, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("FIRN_TEST_CA_FILE holds no certificate")
	}
	return &tls.Config{RootCAs: roots}, nil
}

func mechanism(name string) (sasl.Mechanism, error) {
	user, password := os.Getenv("FIRN_TEST_USERNAME"), os.Getenv("FIRN_TEST_PASSWORD")
	switch name {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism(), nil
	default:
		return nil, fmt.Errorf("no such mechanism: %q", name)
	}
}
