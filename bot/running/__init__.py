"""Starting and stopping: the NLU service, the web server, and both together."""
