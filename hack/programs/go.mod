module berth.dev/hack/programs

go 1.26.0
