#include "config.h"

#include "wire/json_tree.h"

struct tree {
	struct json_scan scan;
	size_t nodes;
};

static bool value_read(struct tree *tree, struct json_node *node);

static struct json_node *node_add(struct tree *tree, struct json_node *parent, struct json_node *last)
{
	struct json_node *node;

	if (++tree->nodes > JSON_TREE_NODES) {
		json_scan_fail(&tree->scan, "expected at most %d values", JSON_TREE_NODES);
		return NULL;
	}
	node = arena_alloc(tree->scan.arena, sizeof(*node));
	if (last)
		last->next = node;
	else
		parent->child = node;
	return node;
}

static bool object_read(struct tree *tree, struct json_node *object)
{
	struct json_node *last = NULL;
	struct str key;
	int more;

	if (!json_scan_object(&tree->scan))
		return false;
	while ((more = json_scan_key(&tree->scan, &key)) > 0) {
		last = node_add(tree, object, last);
		if (!last)
			return false;
		last->key = key;
		if (!value_read(tree, last))
			return false;
	}
	return more == 0;
}

static bool array_read(struct tree *tree, struct json_node *array)
{
	struct json_node *last = NULL;
	int more;

	if (!json_scan_array(&tree->scan))
		return false;
	while ((more = json_scan_element(&tree->scan)) > 0) {
		last = node_add(tree, array, last);
		if (!last || !value_read(tree, last))
			return false;
	}
	return more == 0;
}

/* Calls itself at most max_depth times deep. */
static bool value_read(struct tree *tree, struct json_node *node)
{
	node->kind = json_scan_kind(&tree->scan);
	switch (node->kind) {
	case JSON_OBJECT:
		return object_read(tree, node);
	case JSON_ARRAY:
		return array_read(tree, node);
	case JSON_STRING:
		return json_scan_string(&tree->scan, &node->text);
	case JSON_NUMBER:
		return json_scan_skip(&tree->scan, &node->text);
	case JSON_BOOL:
		return json_scan_bool(&tree->scan, &node->truth);
	case JSON_NULL:
		return json_scan_skip(&tree->scan, NULL);
	default:
		return json_scan_fail(&tree->scan, "expected a value");
	}
}

/* The first pass checks everything, keys that stand twice too; the second cannot fail but by its size. */
const struct json_node *json_tree_read(
	struct str text, unsigned max_depth, struct arena *arena, bool *mended, struct err *err)
{
	struct json_node *root = arena_alloc(arena, sizeof(*root));
	struct tree tree = {.nodes = 1};

	if (!json_scan_open(&tree.scan, text, max_depth, arena, err))
		return NULL;
	tree.scan.mend = true;
	if (!json_scan_skip(&tree.scan, NULL) || !json_scan_end(&tree.scan))
		return NULL;
	tree.scan.p = tree.scan.start;
	if (!value_read(&tree, root))
		return NULL;
	*mended = tree.scan.mended;
	return root;
}

static const struct json_node *known(const struct json_node *node)
{
	return node && node->kind != JSON_NULL ? node : NULL;
}

const struct json_node *json_tree_get(const struct json_node *node, const char *key)
{
	const struct json_node *member = node && node->kind == JSON_OBJECT ? node->child : NULL;

	while (member && !str_equal(member->key, str_of(key)))
		member = member->next;
	return known(member);
}

const struct json_node *json_tree_get_nocase(const struct json_node *node, const char *key)
{
	const struct json_node *member = node && node->kind == JSON_OBJECT ? node->child : NULL;

	while (member && !str_equal_nocase(member->key, str_of(key)))
		member = member->next;
	return known(member);
}

struct str json_node_text(const struct json_node *node)
{
	return node && (node->kind == JSON_STRING || node->kind == JSON_NUMBER) ? node->text : STR_NONE;
}

struct str json_tree_text(const struct json_node *node, const char *key)
{
	return json_node_text(json_tree_get(node, key));
}

bool json_node_integer(const struct json_node *node, int64_t low, int64_t high, int64_t *value)
{
	int64_t found;

	if (!str_to_i64(json_node_text(node), &found) || found < low || found > high)
		return false;
	*value = found;
	return true;
}
