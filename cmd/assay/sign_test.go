package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

const keysFolder = "../../testdata/keys"

// privateKey reads one of the keys of the tests.
func privateKey(name string) (crypto.Signer, error) {
	text, err := os.ReadFile(filepath.Join(keysFolder, name+".pem"))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: not PEM", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: %T cannot sign", name, key)
	}
	return signer, nil
}

// publicKey returns the tags k and p of a key's record, cut where it would not fit
// into one character-string.
func publicKey(name string) (string, error) {
	key, err := privateKey(name)
	if err != nil {
		return "", err
	}
	var raw []byte
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		raw = public
	} else if raw, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return "", err
	}
	text := base64.StdEncoding.EncodeToString(raw)
	cut := min(200, len(text))
	return fmt.Sprintf(`k=%s; p=%s" "%s`, name, text[:cut], text[cut:]), nil
}

// sign puts a signature on top of a message, as a line such as
//
//	d=example.com s=one k=rsa c=relaxed/relaxed h=From:To:Subject
//
// says. An i= may bring further tags along: i=@example.com;l=20.
func sign(message []byte, line string) ([]byte, error) {
	tags := map[string]string{"s": "one", "k": "rsa", "c": "relaxed/relaxed", "h": "From:To:Subject"}
	for _, word := range strings.Fields(line) {
		name, value, _ := strings.Cut(word, "=")
		if !strings.Contains("d s k c h i", name) {
			return nil, fmt.Errorf("unknown tag %q", name)
		}
		tags[name] = value
	}
	key, err := privateKey(tags["k"])
	if err != nil {
		return nil, err
	}
	header, body, _ := strings.Cut(tags["c"], "/")
	var signed bytes.Buffer
	err = msgauth.Sign(&signed, bytes.NewReader(message), &msgauth.SignOptions{
		Domain: tags["d"], Selector: tags["s"], Identifier: tags["i"], Signer: key,
		HeaderCanonicalization: msgauth.Canonicalization(header),
		BodyCanonicalization:   msgauth.Canonicalization(body),
		HeaderKeys:             strings.Split(tags["h"], ":"),
	})
	return signed.Bytes(), err
}
