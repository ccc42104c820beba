module github.com/tallyboard/tallyboard/services/web

go 1.26.0
