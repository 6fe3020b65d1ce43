"""The words of a verdict, each in a sentence or two. Terminal, page and ``docs/outputs.md`` share them."""

GLOSSARY = {
    "score": "How well the recognizer's answers follow what they should be: the labels, or without labels its own "
    "answers on the pristine pictures. CCC is 1 where they are the same and 0 where they have nothing in common; RMSE "
    "is the usual error; accuracy is the share of right names; mIoU is the overlap of what is called a class with what "
    "is one, and mAP50 how many boxes are found and how few are wrong, 1 being perfect.",
    "ceiling": "The score that the same recognizer reaches on the pristine pictures, before coding and loss. No link "
    "can be blamed for what is missing above it.",
    "kept": "How much of the way from a constant answer to the ceiling the received pictures go: 100 % lost nothing, "
    "0 % is worth no more than always giving the same answer.",
    "chance": "What a score could be without meaning anything: what the same answers score at wrong times, or what "
    "guessing among the classes scores.",
    "damage": "Frames that were not shown as they were sent: frozen (the last picture stays), concealed (parts are "
    "filled in) or drifting (predicted from a damaged picture).",
    "draw": "One way in which a link that loses by chance may lose. A run with one seed is one draw; another seed is "
    "another draw, and may have another score.",
}
"""Six words."""
