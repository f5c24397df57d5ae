"""Step 4: write a project for a microcontroller with the int8 detector and some pictures.

    python export.py --dataset scut_head_b.zip --run runs/face_m4 --output firmware

The same for any detector and any pictures:
rnnpool export arduino int8.tflite --detector qvga --normalization faces -o firmware.
"""
