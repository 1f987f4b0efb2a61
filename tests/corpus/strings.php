<?php
$parts = [];
for ($i = 0; $i < 1000; $i++) {
    $parts[] = str_repeat("x", $i);
}
echo count($parts), " ", strlen(implode(",", $parts)), "\n";
