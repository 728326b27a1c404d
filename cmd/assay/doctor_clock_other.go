//go:build !linux

package main

import "errors"

func synchronized() (bool, error) {
	return false, errors.New("this system does not say")
}
