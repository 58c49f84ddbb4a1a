module github.com/dynamotable/ddb/internal/integration

go 1.26.0
