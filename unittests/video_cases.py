"""Small videos that the tests make themselves."""
import struct

import cv2
import numpy as np

__all__ = ['frames_of', 'grey_video', 'turned', 'write_frames']


def write_frames(path, frames, fps=25.0):
    """A video of BGR frames of one size, as its suffix says: .mp4 or .avi. Not by the code under test."""
    code = {'.mp4': 'mp4v', '.avi': 'MJPG'}[path.suffix]
    height, width = frames[0].shape[:2]
    video = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*code), fps, (width, height))
    for frame in frames:
        video.write(frame)
    video.release()
    return path


def grey_video(path, count=20, width=64, height=48, fps=25.0):
    """Frame i has the grey 10 i."""
    return write_frames(path, [np.full((height, width, 3), 10 * i, 'uint8') for i in range(count)], fps)


def turned(path, target):
    """A copy of an MP4 that says, as those of telephones, that players shall turn it by 90 degrees clockwise."""
    content = bytearray(path.read_bytes())
    track = content.index(b'tkhd')
    matrix = struct.pack('>9i', 0, 1 << 16, 0, -1 << 16, 0, 0, 48 << 16, 0, 1 << 30)
    content[track + 44:track + 80] = matrix
    target.write_bytes(content)
    return target


def frames_of(path):
    """(rate, BGR frames) of a video, read without the code under test."""
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    rate = video.get(cv2.CAP_PROP_FPS)
    video.release()
    return rate, frames
