def states(request):
    """The services and whether they answer."""
    return [{"name": one.name, "state": one.state, "answer": one.answer} for one in Process.objects.filter(kind="service").order_by("name")[:500]]
