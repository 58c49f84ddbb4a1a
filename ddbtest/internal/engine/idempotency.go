package engine

type tokens struct{}
