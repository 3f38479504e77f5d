<?php
echo 'pid ', getmypid(), "\n";
